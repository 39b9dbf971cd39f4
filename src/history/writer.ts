import { isDatabaseError } from "../postgres/database-error.ts";
import type { Notice, Session, StatementResult } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { BEGIN, CATALOG_PATH_LOCALLY, OWN_ROLE_LOCALLY } from "../postgres/work-session.ts";
import { literal } from "../sql/quote.ts";
import type { HistoryChange, MigrationRecord } from "./change.ts";
import { ChangeSql, type AppliedRecord, type ChangeSqlOptions } from "./change-sql.ts";
import { inPlainWords } from "./plain-words.ts";
import { HistoryStatements } from "./statements.ts";
import { asWriteError } from "./write-error.ts";

export interface CommitOptions {
  /** Sent in front, in the same message: the statements of the transaction, BEGIN included, each with a semicolon. */
  readonly before?: string;
  /** The statements of a reset that is to hold from this commit on. */
  readonly reset?: string;
  /** Told of each notice of the message. */
  readonly onNotice?: (notice: Notice) => void;
}

export interface HistoryWriterOptions extends ChangeSqlOptions {
  readonly session: Session;
  /** Number of the newest entry of the log. */
  readonly logSeq: number;
  /** Statement that goes with every commit and prolongs the lease; absent: there is none. */
  readonly renewal?: string | undefined;
  /** Highest applied_seq of the target. */
  readonly lastAppliedSeq: number;
}

/**
 * Writes history under a fence. Every change appends to the log, which checks token and owner with a row lock held to the
 * commit: raising the token waits for it, and a holder that lost its lock commits nothing (law 3).
 */
export class HistoryWriter {
  /** Statements that may be part of a change. */
  readonly statements: HistoryStatements;
  readonly #options: HistoryWriterOptions;
  readonly #sql: ChangeSql;
  #logSeq: number;
  #appliedSeq: number;
  #committed: { readonly log: number; readonly applied: number };

  constructor(options: HistoryWriterOptions) {
    this.statements = new HistoryStatements(options.scope);
    this.#options = options;
    this.#sql = new ChangeSql(options);
    this.#logSeq = options.logSeq;
    this.#appliedSeq = options.lastAppliedSeq;
    this.#committed = { log: options.logSeq, applied: options.lastAppliedSeq };
  }

  /**
   * Sends the change and COMMIT for the open transaction, as one message. What the transaction deferred runs first, while
   * role and search_path are still the migration's. The promise must be awaited before the outcome
   * is believed; what is sent meanwhile must be guarded by `committedSql`.
   * @returns the results of all statements of the message.
   * @throws GodwitError LOCK_LOST if the fence does not hold, LOG_CHAIN_BROKEN if the log goes on behind its known end; the
   *   server's error if a deferred constraint refuses the commit.
   */
  async commitWith(
    change: HistoryChange,
    { before = "", reset, onNotice }: CommitOptions = {},
  ): Promise<readonly StatementResult[]> {
    const own = reset === undefined ? OWN_ROLE_LOCALLY : `${reset}; ${CATALOG_PATH_LOCALLY}`;
    const text = `${before}SET CONSTRAINTS ALL IMMEDIATE; ${own}; ${this.#render(change)}; COMMIT`;
    this.#logSeq += change.log.length;
    const sent = { log: this.#logSeq, applied: this.#appliedSeq };
    let results: readonly StatementResult[];
    try {
      results = await this.#options.session.results(text, onNotice);
    } catch (error) {
      throw asWriteError(error, this.#options.scope);
    }
    this.#committed = sent;
    return results;
  }

  /** Goes back to what is known to be committed. Called once everything that was under way has failed. */
  forgetUncommitted(): void {
    this.#logSeq = this.#committed.log;
    this.#appliedSeq = this.#committed.applied;
  }

  /**
   * Commits the change in a transaction of its own. What is said in words, such as a reason or an error, may have characters that
   * the database's encoding does not have: then it is written without them.
   * @throws GodwitError LOCK_LOST.
   */
  async write(change: HistoryChange): Promise<void> {
    try {
      await this.#writeAsIs(change);
    } catch (error) {
      if (!isDatabaseError(error) || error.code !== SQLSTATE.untranslatableCharacter) throw error;
      await this.#writeAsIs(inPlainWords(change));
    }
  }

  async #writeAsIs(change: HistoryChange): Promise<void> {
    const { session } = this.#options;
    const begun = session.query(BEGIN);
    const committed = this.commitWith(change);
    try {
      await Promise.all([begun, committed]);
    } catch (error) {
      await session.cleanup(() => session.query("ROLLBACK"));
      this.forgetUncommitted();
      throw error;
    }
  }

  /**
   * An expression that fails, aborting the transaction it stands in, unless everything sent so far was committed. Put behind BEGIN it
   * lets the next transaction follow a COMMIT without waiting for its answer: whatever comes behind a failed one is refused.
   */
  committedSql(): string {
    const known = "coalesce(pg_catalog.current_setting('godwit.log_seq', true), '')";
    const same = `pg_catalog.texteq(${known}, ${literal(String(this.#logSeq))})::pg_catalog.int4`;
    return `pg_catalog.int4div(1, ${same})`;
  }

  #render(change: HistoryChange): string {
    const { renewal } = this.#options;
    const parts = [...(renewal === undefined ? [] : [renewal]), ...(change.statements ?? [])];
    for (const step of change.steps ?? []) parts.push(this.#sql.step(step));
    const last = change.log.length - 1;
    const calls = change.log.map((entry, index) =>
      this.#sql.record(entry, index === last ? this.#numbered(change.migration) : undefined),
    );
    parts.push(`SELECT ${calls.join(", ")}`);
    return parts.join("; ");
  }

  #numbered(record: MigrationRecord | undefined): AppliedRecord | undefined {
    if (record === undefined) return undefined;
    const applied = record.status === "completed" || record.status === "baseline";
    return { record, appliedSeq: applied ? ++this.#appliedSeq : null };
  }
}
