import type { Config } from "../config/types.ts";
import type { GodwitEvent } from "../core/events.ts";
import type {
  BaselineOptions,
  DownOptions,
  HistoryOptions,
  LockReleaseOptions,
  NewOptions,
  PlanOptions,
  RedoOptions,
  RepairOptions,
  UpOptions,
  VerbOptions,
  WaitOptions,
} from "../fleet/options.ts";
import type { LockBlockersResult, LockReleaseResult, LockStatusResult } from "../fleet/lock-results.ts";
import type {
  DevStatus,
  GraphResult,
  HistoryResult,
  NewResult,
  PlanResult,
  RepairResult,
  RunResult,
  StatusResult,
  VerifyResult,
  WaitResult,
} from "../fleet/results.ts";

export type * from "../fleet/lock-results.ts";
export type * from "../fleet/options.ts";
export type * from "../fleet/results.ts";

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
  /** Schema of the history; default `godwit`. */
  readonly historySchema?: string;
  /** The stream that `database`, `directUrl` and `migrations` are for, where there are several. */
  readonly stream?: string;
  /** PostgreSQL's lock_timeout for statements that queue for locks, in milliseconds; default 500. */
  readonly lockTimeoutMs?: number;
  /** PostgreSQL's statement_timeout, in milliseconds; 0 and the default: none. */
  readonly statementTimeoutMs?: number;
  /** How long others may wait for a migration before it is cancelled, in milliseconds; 0: no limit; default 2000. */
  readonly maxBlockingMs?: number;
  /** How long CONCURRENTLY and VALIDATE CONSTRAINT may take, in milliseconds; 0: no limit; default an hour. */
  readonly patientTimeoutMs?: number;
  /** Cancel sessions that keep a migration from a lock for so long, in milliseconds; 0 and the default: never. */
  readonly cancelBlockersAfterMs?: number;
  /** End sessions that keep a migration from a lock for so long, in milliseconds; 0 and the default: never. */
  readonly terminateBlockersAfterMs?: number;
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
  lockStatus(options?: VerbOptions): Run<LockStatusResult>;
  lockRelease(options?: LockReleaseOptions): Run<LockReleaseResult>;
  lockBlockers(options?: VerbOptions): Run<LockBlockersResult>;
  create(options: NewOptions): Promise<NewResult>;
  devStart(options?: { readonly signal?: AbortSignal }): Run<DevStatus>;
  devStop(options?: {
    readonly signal?: AbortSignal;
  }): Promise<{ readonly stopped: boolean; readonly pid: number | null }>;
  devStatus(): Promise<DevStatus>;
}
