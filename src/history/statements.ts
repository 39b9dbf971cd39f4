import type { MigrationKind } from "../migrations/types.ts";
import { arrayText, ident, literal } from "../sql/quote.ts";
import type { MigrationRecord, StepRecord } from "./change.ts";
import { scopeCondition, type HistoryScope } from "./read.ts";

/** Statements about the rows of one target that may be part of a change of its history. */
export class HistoryStatements {
  readonly #scope: HistoryScope;

  constructor(scope: HistoryScope) {
    this.#scope = scope;
  }

  /** Statement that stores texts of migrations; those that are stored already stay as they are. */
  storeFiles(
    files: readonly (NonNullable<MigrationRecord["files"]> & { readonly checksum: string })[],
  ): string {
    const rows = files.map(
      ({ checksum, upSql, downSql }) => `(${literal(checksum)}, ${literal(upSql)}, ${literal(downSql)})`,
    );
    return `INSERT INTO ${this.#table("migration_files")} (checksum, up_sql, down_sql) VALUES ${rows.join(", ")} ON CONFLICT DO NOTHING`;
  }

  /** Statement that empties the ledger of one migration. */
  forgetSteps(id: string, kind: MigrationKind): string {
    return `DELETE FROM ${this.#table("migration_steps")} WHERE ${scopeCondition(this.#scope)} AND migration_id = ${literal(id)} AND kind = ${literal(kind)}`;
  }

  /** Statement that removes one line of the ledger. */
  forgetStep(step: Pick<StepRecord, "id" | "kind" | "direction" | "ordinal">): string {
    return `${this.forgetSteps(step.id, step.kind)} AND direction = ${literal(step.direction)} AND ordinal = ${step.ordinal}`;
  }

  /** Statement that removes a migration from the history; the log keeps what happened to it. */
  forgetMigration(id: string, kind: MigrationKind): string {
    return `DELETE FROM ${this.#table("migrations")} WHERE ${scopeCondition(this.#scope)} AND id = ${literal(id)} AND kind = ${literal(kind)}`;
  }

  /** Statements that store a file as it is now for a migration that stays applied as it was: when, by whom, in which place. */
  acceptFile(record: MigrationRecord): string[] {
    const columns = [
      ["format", literal(record.format)],
      ["description", literal(record.description)],
      ["checksum", literal(record.checksum)],
      ["down_checksum", literal(record.downChecksum)],
      ["statement_hashes", literal(arrayText(record.statementHashes))],
      ["requires", literal(arrayText(record.requires))],
      ["irreversible", literal(record.irreversible)],
    ] as const;
    const files = record.files ?? { upSql: "", downSql: null };
    return [
      this.storeFiles([{ ...files, checksum: record.checksum }]),
      `UPDATE ${this.#table("migrations")} SET ${columns.map(([name, value]) => `${name} = ${value}`).join(", ")} ` +
        `WHERE ${scopeCondition(this.#scope)} AND id = ${literal(record.id)} AND kind = ${literal(record.kind)}`,
    ];
  }

  /**
   * Statement that makes every repeatable due again: a way down may drop what they made, or what they read.
   */
  repeatablesDue(): string {
    return `UPDATE ${this.#table("migrations")} SET status = 'rolled_back' WHERE ${scopeCondition(this.#scope)} AND kind = 'repeatable' AND status = 'completed'`;
  }

  #table(name: string): string {
    return `${ident(this.#scope.schema)}.${name}`;
  }
}
