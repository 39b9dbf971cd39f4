import type { Statement } from "../types.ts";
import { setsSomething } from "./sets-something.ts";
import type { LockRequest, NamedRelation } from "./types.ts";

/**
 * Walks along statements in their order and tells which of the relations that they lock were there before the first of
 * them: nobody else can hold a lock on one that was made on the way.
 */
export class FreshRelations {
  readonly #made = new Set<string>();
  #pathChanged = false;

  /** Where another file begins, whose session is as it was before. */
  nextFile(): void {
    this.#pathChanged = false;
  }

  /** The requests of the next statement on relations that others may use. */
  next(statement: Pick<Statement, "locks" | "sessionEffect" | "sql" | "tag">): readonly LockRequest[] {
    const { locks, sql } = statement;
    const requests = locks.requests.filter(
      (request) => !this.#made.has(keyOf(request)) && !(this.#pathChanged && request.schema === null),
    );
    for (const one of locks.creates) this.#made.add(keyOf(one));
    // From here on a name without a schema may mean another relation than it does before the file runs.
    if (setsSomething(statement) && /search_path|\bschema\b/i.test(sql)) this.#pathChanged = true;
    return requests;
  }
}

function keyOf({ schema, name }: NamedRelation): string {
  return JSON.stringify([schema, name]);
}
