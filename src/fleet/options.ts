import type { Direction } from "../core/events.ts";

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
  /** How long a run goes on by itself once its connection is lost, in milliseconds; default 60 000; 0: it fails. */
  readonly reconnectWaitMs?: number;
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
export type RepairAction =
  | "accept-checksum"
  | "forget"
  | "mark-applied"
  | "mark-not-applied"
  | "mark-step-applied"
  | "mark-step-not-applied";
export interface RepairOptions extends LockingOptions {
  /** Absent: only diagnose what needs a person and what the choices are. */
  readonly action?: RepairAction;
  /** Ids to act on; `accept-checksum` and `forget` without ids act on every one that needs it. */
  readonly ids?: readonly string[];
  /** Required with an action; written to the log. */
  readonly reason?: string;
}
export interface LockReleaseOptions extends VerbOptions {
  /** Also take it from a holder that lives: its session is ended and rolls back. */
  readonly force?: boolean;
  /** Required with `force`; written to the log. */
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
