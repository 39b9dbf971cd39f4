import type { RangeVar } from "libpg-query";
import { lockedReaches } from "./mode-of.ts";
import type { LockRequest, NamedRelation, Reach, StatementLocks } from "./types.ts";

/** The name of a relation in the parse tree; null where the grammar left it out. */
export function named(relation: RangeVar | undefined): NamedRelation | null {
  if (relation?.relname === undefined) return null;
  return { schema: relation.schemaname ?? null, name: relation.relname };
}

/** Gathers what the parts of a statement ask for. */
export class LockCollector {
  readonly #requests: LockRequest[] = [];
  readonly #creates: NamedRelation[] = [];
  readonly #everything: boolean;
  #rows = false;
  #unknown: string | null = null;

  /** @param everything whether requests are kept of which the table of modes knows no lock: to measure it anew. */
  constructor(everything: boolean) {
    this.#everything = everything;
  }

  /** The relation that the statement is about. */
  subject(
    form: string,
    relation: NamedRelation | null,
    reaches: readonly Reach[],
    through: string | null = null,
  ): void {
    this.#add("subject", form, relation, reaches, through);
  }

  /** Another relation that it names. */
  other(form: string, relation: NamedRelation | null, reaches: readonly Reach[]): void {
    this.#add("other", form, relation, reaches, null);
  }

  touchesRows(): void {
    this.#rows = true;
  }

  /** @param why in a short phrase. */
  mayLockMore(why: string): void {
    this.#unknown ??= why;
  }

  creates(relation: NamedRelation | null): void {
    if (relation !== null) this.#creates.push(relation);
  }

  done(): StatementLocks {
    return {
      requests: this.#requests,
      rows: this.#rows,
      unknown: this.#unknown,
      creates: this.#creates,
      objects: null,
    };
  }

  #add(
    part: LockRequest["part"],
    form: string,
    relation: NamedRelation | null,
    reaches: readonly Reach[],
    through: string | null,
  ): void {
    if (relation === null) return;
    const { schema, name } = relation;
    for (const reach of this.#everything ? reaches : lockedReaches(form, part, reaches)) {
      const isSame = (one: LockRequest): boolean =>
        one.form === form &&
        one.part === part &&
        one.reach === reach &&
        one.name === name &&
        one.schema === schema &&
        one.through === through;
      if (!this.#requests.some(isSame)) this.#requests.push({ schema, name, reach, form, part, through });
    }
  }
}
