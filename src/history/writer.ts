import { GodwitError } from "../core/error.ts";
import type { Direction } from "../core/events.ts";
import type { MigrationFormat, MigrationKind } from "../migrations/types.ts";
import { isDatabaseError } from "../postgres/database-error.ts";
import type { Notice, Session, StatementResult } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { BEGIN, CATALOG_PATH_LOCALLY, OWN_ROLE_LOCALLY } from "../postgres/work-session.ts";
import { arrayText, compositeLiteral, ident, literal } from "../sql/quote.ts";
import type { LogEntry } from "./log-chain.ts";
import { plainText, storableJson, storableText } from "./storable.ts";
import { scopeCondition, type HistoryScope } from "./read.ts";
import type { MigrationStatus, StepState, StoredError } from "./types.ts";

/** SQLSTATE of `record_change` when token and owner do not hold the lock. */
const FENCE_LOST = "GW001";

/** Of a change that is about no migration's state. */
const NO_MIGRATION: readonly null[] = Array.from({ length: 16 }, () => null);

/** The right to write: the lock's key and the token and owner under which it is held (law 3). */
export interface Fence {
  readonly key: string;
  readonly token: number;
  /** The run id. */
  readonly owner: string;
}

/** What is to stand in `migrations` for one migration. */
export interface MigrationRecord {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly format: MigrationFormat;
  readonly description: string;
  readonly status: MigrationStatus;
  readonly checksum: string;
  readonly downChecksum: string | null;
  readonly statementHashes: readonly string[];
  readonly requires: readonly string[];
  readonly irreversible: string | null;
  /** null also where the entry of the log is `timed`: then the server measures both. */
  readonly executionMs: number | null;
  readonly error: StoredError | null;
  /** Texts to keep; null: stored already or not wanted. */
  readonly files: { readonly upSql: string; readonly downSql: string | null } | null;
}

/** A state change of one step in the ledger. */
export interface StepRecord {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly direction: Direction;
  readonly ordinal: number;
  readonly statementHash: string;
  readonly statementHashes: readonly string[];
  readonly state: StepState;
}

/** One act of writing history. Every act has at least one entry: appending it is what checks the fence. */
export interface HistoryChange {
  readonly log: readonly [LogEntry, ...LogEntry[]];
  readonly migration?: MigrationRecord;
  readonly steps?: readonly StepRecord[];
  /** Further statements that belong to the change, quoted and complete, without semicolon at the end. */
  readonly statements?: readonly string[];
}

/** The pid and start of the backend that writes, for the ledger. */
export interface Backend {
  readonly pid: number;
  /** null where the role may not see it. */
  readonly start: string | null;
}

export interface CommitOptions {
  /** Sent in front, in the same message: the statements of the transaction, BEGIN included, each with a semicolon. */
  readonly before?: string;
  /** The statements of a reset that is to hold from this commit on. */
  readonly reset?: string;
  /** Told of each notice of the message. */
  readonly onNotice?: (notice: Notice) => void;
}

export interface HistoryWriterOptions {
  readonly session: Session;
  readonly scope: HistoryScope;
  readonly fence: Fence;
  readonly backend: Backend;
  readonly toolVersion: string;
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
  readonly #options: HistoryWriterOptions;
  #logSeq: number;
  #appliedSeq: number;
  #committed: { readonly log: number; readonly applied: number };

  constructor(options: HistoryWriterOptions) {
    this.#options = options;
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

  /** Statement that says in the lock's row that the lock was given back. */
  gaveBack(): string {
    const { key, token, owner } = this.#options.fence;
    return (
      `UPDATE ${this.#table("migration_locks")} SET expires_at = pg_catalog.clock_timestamp() ` +
      `WHERE key = ${literal(key)} AND token = ${token} AND owner = ${literal(owner)}`
    );
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
    return `DELETE FROM ${this.#table("migration_steps")} WHERE ${scopeCondition(this.#options.scope)} AND migration_id = ${literal(id)} AND kind = ${literal(kind)}`;
  }

  /** Statement that removes one line of the ledger. */
  forgetStep(step: Pick<StepRecord, "id" | "kind" | "direction" | "ordinal">): string {
    return `${this.forgetSteps(step.id, step.kind)} AND direction = ${literal(step.direction)} AND ordinal = ${step.ordinal}`;
  }

  /** Statement that removes a migration from the history; the log keeps what happened to it. */
  forgetMigration(id: string, kind: MigrationKind): string {
    return `DELETE FROM ${this.#table("migrations")} WHERE ${scopeCondition(this.#options.scope)} AND id = ${literal(id)} AND kind = ${literal(kind)}`;
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
        `WHERE ${scopeCondition(this.#options.scope)} AND id = ${literal(record.id)} AND kind = ${literal(record.kind)}`,
    ];
  }

  /**
   * Statement that makes every repeatable due again: a way down may drop what they made, or what they read.
   */
  repeatablesDue(): string {
    return `UPDATE ${this.#table("migrations")} SET status = 'rolled_back' WHERE ${scopeCondition(this.#options.scope)} AND kind = 'repeatable' AND status = 'completed'`;
  }

  #render(change: HistoryChange): string {
    const { renewal } = this.#options;
    const parts = [...(renewal === undefined ? [] : [renewal]), ...(change.statements ?? [])];
    for (const step of change.steps ?? []) parts.push(this.#stepSql(step));
    const last = change.log.length - 1;
    const calls = change.log.map((entry, index) =>
      this.#recordSql(entry, index === last ? change.migration : undefined),
    );
    parts.push(`SELECT ${calls.join(", ")}`);
    return parts.join("; ");
  }

  /** The values stand in the order of the columns of the type `history_change`. */
  #recordSql(entry: LogEntry, record: MigrationRecord | undefined): string {
    const { fence, scope } = this.#options;
    const values = [
      fence.key,
      String(fence.token),
      fence.owner,
      scope.stream,
      scope.targetSchema,
      entry.level,
      entry.event,
      entry.migrationId,
      storableText(entry.message),
      storableJson(entry.details),
      String(entry.timed === true),
      ...(record === undefined ? NO_MIGRATION : this.#migrationValues(record)),
    ];
    return `${this.#table("record_change")}(${compositeLiteral(values)})`;
  }

  #migrationValues(record: MigrationRecord): (string | null)[] {
    const applied = record.status === "completed" || record.status === "baseline";
    if (applied) this.#appliedSeq += 1;
    return [
      record.id,
      record.kind,
      record.format,
      record.description,
      record.status,
      record.checksum,
      record.downChecksum,
      arrayText(record.statementHashes),
      arrayText(record.requires),
      record.irreversible,
      applied ? String(this.#appliedSeq) : null,
      record.executionMs === null ? null : String(Math.round(record.executionMs)),
      this.#options.toolVersion,
      record.error === null ? null : storableJson(record.error),
      record.files?.upSql ?? null,
      record.files?.downSql ?? null,
    ];
  }

  #stepSql(step: StepRecord): string {
    const { backend } = this.#options;
    const finished = step.state === "intended" ? "NULL" : "pg_catalog.clock_timestamp()";
    return (
      `INSERT INTO ${this.#table("migration_steps")} (stream, target_schema, migration_id, kind, direction, ordinal, statement_hash, statement_hashes, state, backend_pid, backend_start, finished_at) VALUES ` +
      `(${this.#target()}, ${literal(step.id)}, ${literal(step.kind)}, ${literal(step.direction)}, ` +
      `${step.ordinal}, ${literal(step.statementHash)}, ${literal(arrayText(step.statementHashes))}, ${literal(step.state)}, ${backend.pid}, ${literal(backend.start)}, ${finished}) ` +
      `ON CONFLICT (stream, target_schema, migration_id, kind, direction, ordinal) DO UPDATE SET ` +
      `(statement_hash, statement_hashes, state, backend_pid, backend_start, finished_at) = (EXCLUDED.statement_hash, EXCLUDED.statement_hashes, EXCLUDED.state, EXCLUDED.backend_pid, EXCLUDED.backend_start, EXCLUDED.finished_at)`
    );
  }

  #target(): string {
    return `${literal(this.#options.scope.stream)}, ${literal(this.#options.scope.targetSchema)}`;
  }

  #table(name: string): string {
    return `${ident(this.#options.scope.schema)}.${name}`;
  }
}

function inPlainWords(change: HistoryChange): HistoryChange {
  const plain = <T>(value: T): T => JSON.parse(plainText(JSON.stringify(value))) as T;
  const [first, ...others] = change.log.map((entry) => ({
    ...entry,
    message: plainText(entry.message),
    details: plain(entry.details),
  }));
  const { migration } = change;
  return {
    ...change,
    log: [first!, ...others],
    ...(migration === undefined ? {} : { migration: { ...migration, error: plain(migration.error) } }),
  };
}

function asWriteError(error: unknown, scope: HistoryScope): unknown {
  if (!isDatabaseError(error)) return error;
  if (
    error.code === SQLSTATE.uniqueViolation &&
    error.schema === scope.schema &&
    error.table === "migration_log"
  ) {
    return new GodwitError(
      "LOG_CHAIN_BROKEN",
      "an entry stands in the log where the next one belongs: the log or the lock's row was altered",
      { hint: "godwit verify shows where; nothing of this transaction was committed", cause: error },
    );
  }
  if (error.code !== FENCE_LOST) return error;
  return new GodwitError(
    "LOCK_LOST",
    "another run took over Godwit's lock; nothing of this transaction was committed",
    {
      hint: "godwit status shows what the other run did; then run the same command again",
      cause: error,
    },
  );
}
