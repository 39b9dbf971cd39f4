import type { Direction } from "../core/events.ts";
import type { SqlQuery, SqlTag } from "../sql/template.ts";

export interface QueryRows<Row> {
  readonly rows: Row[];
  /** Rows returned or changed; null where the command counts none. */
  readonly rowCount: number | null;
}

/** What the functions of a code migration are given: a session on the target, inside the migration's transaction. */
export interface MigrationDb {
  /**
   * Runs one statement. With `transaction = false` it is committed at once.
   * @throws the server's error, with its SQLSTATE as `code`; within the transaction it must not be ignored, unless a
   *   savepoint contains it.
   */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<QueryRows<Row>>;
  query<Row = Record<string, unknown>>(query: SqlQuery): Promise<QueryRows<Row>>;
  /** Writes a query safely: each `${value}` becomes a parameter and never part of the text. */
  readonly sql: SqlTag;
  /** What is being done, and where. */
  readonly migration: {
    readonly id: string;
    readonly stream: string;
    /** `<stream>` or `<stream>/<tenant>`. */
    readonly target: string;
    readonly direction: Direction;
    readonly runId: string;
  };
  /** Aborted when the command is interrupted or out of time; long loops look at it. */
  readonly signal: AbortSignal;
  /** Tells the person who runs it; kept with the migration's entry in the history. */
  log(message: string): void;
}

/** A function of a code migration. */
export type MigrationFunction = (db: MigrationDb) => Promise<void> | void;
