import type { ErrorCode } from "./error-codes.ts";
import type { GodwitError, Location } from "./error.ts";

/** `up` applies, `down` takes back. */
export type Direction = "up" | "down";

interface TargetEvent {
  /** `<stream>` or `<stream>/<tenant>`. */
  readonly target: string;
}
interface MigrationEvent extends TargetEvent {
  readonly id: string;
  readonly direction: Direction;
}
interface StatementEvent extends MigrationEvent {
  /** 1-based position of the statement in its section of the file. */
  readonly ordinal: number;
}

/**
 * What a run tells while it works. Plain data in camelCase; `type` tells them apart.
 * Reporters turn them into terminal lines, NDJSON or log rows; nothing else prints.
 * Durations are milliseconds measured by a monotonic clock.
 */
export type GodwitEvent =
  | { readonly type: "run.started"; readonly runId: string; readonly command: string }
  | {
      readonly type: "run.finished";
      readonly runId: string;
      readonly ok: boolean;
      readonly applied: number;
      readonly durationMs: number;
    }
  | (TargetEvent & {
      readonly type: "target.started";
      readonly database: string;
      readonly server: string;
      readonly pending: number;
    })
  | (TargetEvent & {
      readonly type: "target.finished";
      readonly applied: number;
      readonly durationMs: number;
      readonly error: GodwitError | null;
    })
  | (TargetEvent & {
      readonly type: "connection.waiting";
      readonly reason: string;
      readonly attempt: number;
      readonly elapsedMs: number;
    })
  | (TargetEvent & {
      /** The session ended, or another run took the lock over: the run goes on by itself in a new one. */
      readonly type: "target.retrying";
      /** The migration that was running; null: none was. */
      readonly id: string | null;
      readonly code: ErrorCode;
      readonly sqlstate: string | null;
      readonly reason: string;
      /** How often that migration, or the time between two, has been met so. */
      readonly attempt: number;
      readonly delayMs: number;
    })
  | (TargetEvent & {
      /** A new session has the lock, and the history was read again. */
      readonly type: "target.resumed";
      /** Sessions that were tried for. */
      readonly attempts: number;
      /** Since the old session was lost. */
      readonly elapsedMs: number;
    })
  | (TargetEvent & {
      readonly type: "embedded.started";
      readonly directory: string;
      readonly reused: boolean;
      readonly durationMs: number;
    })
  | (TargetEvent & { readonly type: "history.upgraded"; readonly from: number; readonly to: number })
  | (TargetEvent & {
      readonly type: "lock.waiting";
      readonly holder: string | null;
      /** Migrations that are still pending, which tells how far the holder is; null: not known. */
      readonly pending: number | null;
      readonly elapsedMs: number;
    })
  | (TargetEvent & {
      readonly type: "lock.acquired";
      readonly token: number;
      readonly waitedMs: number;
      readonly provider: "advisory" | "lease" | "redis";
    })
  | (MigrationEvent & {
      readonly type: "migration.started";
      readonly index: number;
      readonly total: number;
      readonly description: string;
      readonly statements: number;
      /** It failed before, or an earlier run of it ended in the middle. */
      readonly retry: boolean;
      /** Some of its steps are done, and it goes on behind them. */
      readonly resumes: boolean;
    })
  | (StatementEvent & {
      readonly type: "statement.started";
      readonly tag: string;
      readonly sql: string;
      readonly standalone: boolean;
      readonly location: Location;
    })
  | (StatementEvent & {
      readonly type: "statement.progress";
      readonly elapsedMs: number;
      readonly phase: string | null;
      readonly done: number | null;
      readonly total: number | null;
      readonly waitingFor: string | null;
    })
  | (StatementEvent & {
      readonly type: "statement.finished";
      readonly tag: string;
      readonly durationMs: number;
      readonly rows: number | null;
    })
  | (StatementEvent & { readonly type: "statement.skipped"; readonly tag: string; readonly reason: string })
  | (StatementEvent & {
      readonly type: "statement.tolerated";
      readonly tag: string;
      /** What it makes, which was there already and equals: `table public.orders`. */
      readonly object: string;
    })
  | (MigrationEvent & {
      readonly type: "migration.retrying";
      readonly reason: string;
      /** Attempts that there have been; 0 as long as it has only stayed out of the queue. */
      readonly attempt: number;
      /** When it is tried, or looked, again at the latest. */
      readonly delayMs: number;
      /** How long it has stayed out of the queue since the last attempt; null: an attempt has just failed. */
      readonly keptOutMs: number | null;
    })
  | (MigrationEvent & {
      /** A session that was in the way of a lock was told to end its statement, or ended. */
      readonly type: "blocker.signalled";
      readonly act: "cancel" | "terminate";
      readonly pid: number;
      readonly application: string;
      readonly query: string;
      /** How long the lock could not be had. */
      readonly blockedMs: number;
    })
  | (MigrationEvent & {
      readonly type: "migration.finished";
      readonly index: number;
      readonly total: number;
      readonly durationMs: number;
      readonly statements: number;
      /** Its commit was on the way when the connection was lost, and the history says that it arrived. */
      readonly confirmedLater?: true;
    })
  | (MigrationEvent & {
      readonly type: "migration.failed";
      readonly error: GodwitError;
      readonly rolledBack: boolean;
      readonly durationMs: number;
    })
  | (MigrationEvent & { readonly type: "notice"; readonly severity: string; readonly message: string })
  | {
      readonly type: "warning";
      readonly target: string | null;
      readonly message: string;
      readonly hint: string | null;
    };

export type Emit = (event: GodwitEvent) => void;
