import type { HistoryChange } from "../history/change.ts";
import type { HistoryWriter } from "../history/writer.ts";
import type { PlannedMigration } from "../plan/types.ts";

/** More than this is not sent in one statement. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** A database in another encoding may not hold other characters: then only the migration that has them must fail. */
const ASCII = /^[\0-\x7f]*$/;

/**
 * The texts of a plan that is sent as a bulk. The first change stores those of all its migrations, in one statement: a
 * statement for each takes the server as long as the entry in the log. Should the transaction of that change be rolled
 * back, so is all that was sent behind it, and the next change stores them again.
 */
export class PlanTexts {
  readonly #together: ReadonlyMap<string, PlannedMigration>;
  #areStored = false;

  /** @param plan the migrations; none: each change stores its own texts. */
  constructor(plan: readonly PlannedMigration[]) {
    const fit = plan.filter(
      ({ direction, upSql, downSql }) => direction === "up" && ASCII.test(upSql) && ASCII.test(downSql ?? ""),
    );
    const size = fit.reduce((sum, { upSql, downSql }) => sum + upSql.length + (downSql?.length ?? 0), 0);
    const together = size <= MOST_CHARACTERS ? fit : [];
    this.#together = new Map(together.map((planned) => [planned.checksum, planned]));
  }

  /** What was sent and not committed is lost. */
  forget(): void {
    this.#areStored = false;
  }

  /** The change without its own texts, which another one stores, or with those of all; as it is where they go alone. */
  storeAllAtOnce(change: HistoryChange, writer: HistoryWriter): HistoryChange {
    const { migration } = change;
    if (migration === undefined || !this.#together.has(migration.checksum)) return change;
    const without = { ...change, migration: { ...migration, files: null } };
    if (this.#areStored) return without;
    this.#areStored = true;
    return {
      ...without,
      statements: [...(change.statements ?? []), writer.statements.storeFiles([...this.#together.values()])],
    };
  }
}
