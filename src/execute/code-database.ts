import { crashPoint } from "../core/crash-points.ts";
import { GodwitError } from "../core/error.ts";
import type { MigrationDb } from "../migrations/code-types.ts";
import { isDatabaseError, sqlstateOf } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { parseSql } from "../sql/parser.ts";
import { sql, type SqlQuery } from "../sql/template.ts";
import type { ExecutionContext } from "./context.ts";
import { subject } from "./statement-events.ts";

/** What is kept of a query that the server refused, to tell where in the code it was sent. */
export interface RefusedQuery {
  readonly error: Error;
  readonly text: string;
  /** The stack at the call of `query`. */
  readonly stack: string;
}

const REFUSED = new WeakMap<object, RefusedQuery>();

/** The query that an error of the server belongs to, if code sent it. */
export function refusedQueryOf(error: unknown): RefusedQuery | undefined {
  return typeof error === "object" && error !== null ? REFUSED.get(error) : undefined;
}

/** Texts of queries that are remembered as checked; code that makes a new text for each row must not grow without end. */
const TEXTS_REMEMBERED = 1000;
/** More than these are not kept in the history. */
const MESSAGES_KEPT = 100;

/** The session of a run as the functions of a code migration see it: open while they run, closed to whatever they left behind. */
export class CodeDatabase {
  readonly #context: ExecutionContext;
  readonly #planned: PlannedMigration;
  readonly #transaction: boolean;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #harmless = new Set<string>();
  #first: RefusedQuery | null = null;
  /** Queries that the server has answered, and how many of them it refused. */
  readonly sent = { answered: 0, refused: 0 };
  #closed = false;

  constructor(context: ExecutionContext, planned: PlannedMigration, transaction: boolean) {
    this.#context = context;
    this.#planned = planned;
    this.#transaction = transaction;
  }

  /** What the functions are given. */
  get db(): MigrationDb {
    const context = this.#context;
    const { id, direction } = this.#planned;
    return {
      query: (text: string | SqlQuery, values?: readonly unknown[]) => {
        const query = typeof text === "string" ? { text, values: values ?? [] } : text;
        const running = this.#query(query, new Error("query").stack ?? "");
        this.#pending.add(running);
        // Code may forget to wait for it: its failure is told at the end, not by ending the process.
        running.catch(() => undefined).finally(() => this.#pending.delete(running));
        return running as Promise<never>;
      },
      sql,
      migration: { id, stream: context.stream, target: context.target, direction, runId: context.runId },
      signal: context.signal ?? new AbortController().signal,
      log: (message: string) => {
        if (context.messages.length < MESSAGES_KEPT) context.messages.push(message);
        context.emit({ type: "notice", ...subject(context, this.#planned), severity: "LOG", message });
      },
    };
  }

  /**
   * Waits for what was sent and not awaited, and takes no more.
   * @throws the error that aborted the transaction, where the code caught it and went on as if nothing had been.
   */
  async close(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    this.#closed = true;
    if (!this.#transaction || this.#first === null) return;
    try {
      await this.#context.session.query("SELECT 1");
    } catch (error) {
      throw sqlstateOf(error) === SQLSTATE.inFailedSqlTransaction ? this.#first.error : error;
    }
  }

  async #query(query: SqlQuery, stack: string): Promise<{ rows: unknown[]; rowCount: number | null }> {
    if (this.#closed) {
      throw new GodwitError(
        "MIGRATION_FAILED",
        `${this.#planned.id} has ended; what it sends now is not run`,
        {
          hint: "await every query before up or down returns",
        },
      );
    }
    if (this.#transaction) await this.#assertNoTransactionControl(query.text);
    try {
      const running = this.#context.session.typedQuery(query.text, query.values);
      crashPoint("code.running", this.#planned.id);
      const result = await running;
      this.sent.answered += 1;
      return result;
    } catch (error) {
      if (isDatabaseError(error)) {
        this.sent.answered += 1;
        this.sent.refused += 1;
        const refused = { error, text: query.text, stack };
        REFUSED.set(error, refused);
        this.#first ??= refused;
      }
      throw error;
    }
  }

  /** Ending the transaction would tear the change from its entry in the history. */
  async #assertNoTransactionControl(text: string): Promise<void> {
    if (!/\b(?:begin|start|commit|end|rollback|abort|prepare)\b/i.test(text) || this.#harmless.has(text))
      return;
    const parsed = await parseSql(text);
    const ends = parsed.ok
      ? parsed.statements.some(
          ({ node }) => "TransactionStmt" in node && !ofSavepoint(node.TransactionStmt.kind),
        )
      : false;
    if (!ends) {
      if (this.#harmless.size < TEXTS_REMEMBERED) this.#harmless.add(text);
      return;
    }
    throw new GodwitError(
      "MIGRATION_FAILED",
      `${this.#planned.id}: its code begins or ends a transaction, but Godwit has made one for it`,
      {
        hint: "remove that query, or export const transaction = false and commit in steps that can be repeated",
      },
    );
  }
}

function ofSavepoint(kind: string | undefined): boolean {
  return (
    kind === "TRANS_STMT_SAVEPOINT" || kind === "TRANS_STMT_RELEASE" || kind === "TRANS_STMT_ROLLBACK_TO"
  );
}
