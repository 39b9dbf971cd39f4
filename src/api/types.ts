import type { Config } from "../config/types.ts";
import type { GodwitError } from "../core/error.ts";
import type { Direction, GodwitEvent } from "../core/events.ts";
import type { MigrationKind } from "../migrations/types.ts";
import type { Plan } from "../plan/types.ts";

/** Where the configuration comes from, and what of it is overridden. The same defaults hold for the command line. */
export interface GodwitOptions {
  /** Folder from which `godwit.config.*` is looked for upward; default: the working folder of the process. */
  readonly cwd?: string;
  /** Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of a configuration file, or a configuration already loaded. */
  readonly config?: string | Config;
  /** A libpq connection string; overrides the configuration of a single stream. */
  readonly database?: string;
  /** A libpq connection string that reaches the server past any pooler. */
  readonly directUrl?: string;
  /** Folder of migrations of a single stream; default `./migrations`. */
  readonly migrations?: string;
  /** Use the project's own PostgreSQL under `.godwit/postgres`. */
  readonly embedded?: boolean;
  /** PostgreSQL's lock_timeout for statements that queue for locks, in milliseconds; default 500. */
  readonly lockTimeoutMs?: number;
  /** PostgreSQL's statement_timeout, in milliseconds; 0 and the default: none. */
  readonly statementTimeoutMs?: number;
}

/** What every verb takes. */
export interface VerbOptions {
  /** Names of streams; default: all. */
  readonly streams?: readonly string[];
  /** Bounds the whole command, in milliseconds; default: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** How long an unreachable database is tried again, in milliseconds; default 0: one attempt. */
  readonly connectWaitMs?: number;
}

export interface LockingOptions extends VerbOptions {
  /** How long to wait for Godwit's own lock, in milliseconds; default 600 000. */
  readonly lockWaitMs?: number;
  /** Git commit, recorded with the run; default: GIT_SHA, GITHUB_SHA or CI_COMMIT_SHA of the environment. */
  readonly gitSha?: string;
}

export interface UpOptions extends LockingOptions {
  /** Apply up to and including this id. */
  readonly to?: string;
  /** Apply at most this many migrations on each target. */
  readonly steps?: number;
  /** Run repeatables again although a later version of them was applied. */
  readonly reapply?: boolean;
}
export interface DownOptions extends LockingOptions {
  /** How many to take back; default 1 unless `to` or `all` is given. */
  readonly steps?: number;
  /** Take back everything applied after this id; the id itself stays. */
  readonly to?: string;
  readonly all?: boolean;
}
export interface RedoOptions extends LockingOptions {
  /** How many of the last applied to take back and apply again; default 1. */
  readonly steps?: number;
}
export interface PlanOptions extends VerbOptions {
  readonly direction?: Direction;
  readonly to?: string;
  readonly steps?: number;
  readonly all?: boolean;
  readonly reapply?: boolean;
}
export interface HistoryOptions extends VerbOptions {
  /** Newest entries to return; default 100, 0: all. */
  readonly limit?: number;
  /** Only entries of this migration. */
  readonly id?: string;
}
export interface BaselineOptions extends LockingOptions {
  /** Mark this id and every earlier one as applied, without running them. */
  readonly id: string;
  readonly reason?: string;
}
export type RepairAction = "accept-checksum" | "forget" | "mark-applied" | "mark-not-applied";
export interface RepairOptions extends LockingOptions {
  /** Absent: only diagnose what needs a person and what the choices are. */
  readonly action?: RepairAction;
  /** Ids to act on; `accept-checksum` and `forget` without ids act on every one that needs it. */
  readonly ids?: readonly string[];
  /** Required with an action; written to the log. */
  readonly reason?: string;
}
export interface WaitOptions extends VerbOptions {
  /** `<stream>/<id>` or `<id>`: wait until applied. Absent: until the database accepts connections and nothing is pending. */
  readonly for?: readonly string[];
  /** Only until the database accepts connections. */
  readonly connectionOnly?: boolean;
}
export interface NewOptions {
  readonly stream?: string;
  readonly name: string;
  readonly format?: "sql" | "ts";
  readonly repeatable?: boolean;
  readonly folder?: boolean;
  readonly requires?: readonly string[];
}

export interface AppliedMigration {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly direction: Direction;
  readonly durationMs: number;
  readonly statements: number;
}
/** What happened on one target. What succeeded is kept even if a later migration failed. */
export interface TargetRunResult {
  readonly target: string;
  readonly stream: string;
  /** `name on host:port`, without secrets. */
  readonly database: string;
  readonly migrations: readonly AppliedMigration[];
  readonly durationMs: number;
  readonly warnings: readonly string[];
  readonly error: GodwitError | null;
  /** Why the target was not touched, e.g. a stream it depends on failed. */
  readonly skipped: string | null;
}
export interface RunResult {
  readonly runId: string;
  readonly targets: readonly TargetRunResult[];
  /** Migrations run over all targets. */
  readonly total: number;
  readonly durationMs: number;
}

export type MigrationState = "applied" | "pending" | "failed" | "half_applied";
export type MigrationFlag =
  | "baseline"
  | "file_missing"
  | "file_changed"
  | "file_reformatted"
  | "out_of_order"
  | "rolled_back"
  | "down_changed"
  | "superseded";
export interface MigrationStatusRow {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly state: MigrationState;
  readonly flags: readonly MigrationFlag[];
  readonly description: string;
  readonly appliedAt: string | null;
  readonly appliedBy: string | null;
  readonly executionMs: number | null;
  readonly error: string | null;
}
export interface TargetStatus {
  readonly target: string;
  readonly stream: string;
  readonly database: string;
  readonly server: string;
  /** null: no history yet. */
  readonly historyVersion: number | null;
  readonly migrations: readonly MigrationStatusRow[];
  readonly counts: {
    readonly applied: number;
    readonly pending: number;
    readonly failed: number;
    readonly changed: number;
    readonly missing: number;
  };
  /** What `--exit-code` would say: 9 before 5 before 3. */
  readonly code: "OK" | "PENDING" | "CHECKSUM_MISMATCH" | "NEEDS_REPAIR";
  /** Who holds Godwit's lock now, if anybody. */
  readonly lockedBy: string | null;
}
export interface StatusResult {
  readonly targets: readonly TargetStatus[];
}

export interface HistoryEntry {
  readonly seq: number;
  readonly at: string;
  readonly level: "debug" | "info" | "warning" | "error" | "critical";
  readonly event: string;
  readonly id: string | null;
  readonly message: string;
  readonly runId: string | null;
  readonly by: string | null;
  readonly details: unknown;
}
export interface HistoryResult {
  readonly targets: readonly {
    readonly target: string;
    readonly database: string;
    readonly entries: readonly HistoryEntry[];
  }[];
}

export interface PlanResult {
  readonly plans: readonly (Plan & { readonly database: string; readonly historySchema: string })[];
}

export interface VerifyTarget {
  readonly target: string;
  readonly database: string;
  readonly entries: number;
  /** seq of the first entry that does not follow from the one before; null: the chain holds. */
  readonly brokenAt: number | null;
  readonly reason: string | null;
  readonly changed: readonly string[];
  readonly missing: readonly string[];
}
export interface VerifyResult {
  readonly targets: readonly VerifyTarget[];
}

export interface RepairChoice {
  readonly target: string;
  readonly id: string;
  readonly problem: "half_applied" | "checksum" | "missing";
  readonly explanation: string;
  /** The exact commands to choose from. */
  readonly choices: readonly { readonly command: string; readonly effect: string }[];
}
export interface RepairResult {
  readonly runId: string | null;
  readonly repaired: readonly {
    readonly target: string;
    readonly id: string;
    readonly action: RepairAction;
  }[];
  readonly remaining: readonly RepairChoice[];
}

export interface WaitResult {
  readonly reached: boolean;
  readonly waitedMs: number;
  readonly targets: readonly {
    readonly target: string;
    readonly database: string;
    readonly missing: readonly string[];
  }[];
}

export interface GraphNodeResult {
  readonly stream: string;
  readonly id: string;
  readonly description: string;
  readonly requires: readonly string[];
  /** null: the database was not asked. */
  readonly state: MigrationState | null;
}
export interface GraphResult {
  readonly nodes: readonly GraphNodeResult[];
}

export interface NewResult {
  readonly path: string;
  readonly id: string;
}
export interface InitResult {
  readonly created: readonly string[];
  readonly existed: readonly string[];
}
export interface DevStatus {
  readonly running: boolean;
  readonly pid: number | null;
  readonly directory: string;
  /** Without the password. */
  readonly url: string | null;
}

/**
 * A verb at work: await it for its result, or iterate over it for its events; both may be done.
 * The work starts when the verb is called, whether or not anybody listens. Leaving the loop early does not stop it:
 * abort the signal for that. Events that nobody takes are kept until the run is over.
 */
export interface Run<T> extends PromiseLike<T>, AsyncIterable<GodwitEvent> {
  readonly result: Promise<T>;
}

/**
 * Everything the command line does, as functions. Each verb throws GodwitError; a verb that ran migrations and failed
 * throws after recording what succeeded: the error's `result` is then the RunResult.
 */
export interface Godwit {
  readonly config: Config;
  up(options?: UpOptions): Run<RunResult>;
  down(options?: DownOptions): Run<RunResult>;
  redo(options?: RedoOptions): Run<RunResult>;
  plan(options?: PlanOptions): Run<PlanResult>;
  status(options?: VerbOptions): Run<StatusResult>;
  history(options?: HistoryOptions): Run<HistoryResult>;
  graph(options?: VerbOptions & { readonly offline?: boolean }): Run<GraphResult>;
  verify(options?: VerbOptions): Run<VerifyResult>;
  baseline(options: BaselineOptions): Run<RunResult>;
  repair(options?: RepairOptions): Run<RepairResult>;
  wait(options?: WaitOptions): Run<WaitResult>;
  create(options: NewOptions): Promise<NewResult>;
  devStart(options?: { readonly signal?: AbortSignal }): Run<DevStatus>;
  devStop(options?: {
    readonly signal?: AbortSignal;
  }): Promise<{ readonly stopped: boolean; readonly pid: number | null }>;
  devStatus(): Promise<DevStatus>;
}
