import type { GodwitError } from "../core/error.ts";
import type { Direction } from "../core/events.ts";
import type { MigrationKind } from "../migrations/types.ts";
import type { Plan } from "../plan/types.ts";
import type { RepairAction } from "./options.ts";

export interface AppliedMigration {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly direction: Direction;
  readonly durationMs: number;
  readonly statements: number;
  /** Objects that were there already and equal what the migration makes; empty unless it tolerates them. */
  readonly tolerated: readonly string[];
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
  /** A migration that stopped on its way and was not rolled back as a whole; the next `up` or `down` goes on with it. */
  readonly unfinished: string | null;
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
  | "half_taken_back"
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
  /** Ids of those whose way up was edited; of a code migration, whose module was. */
  readonly changed: readonly string[];
  /** Of those whose way down alone was: the stored one is what runs. */
  readonly downChanged: readonly string[];
  /** Of those in which only comments or white space were. */
  readonly reformatted: readonly string[];
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
  /** False: for information only; nothing has to be decided. */
  readonly needsPerson: boolean;
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
  /** An older id that sorts behind the new one, which is then applied first; null: none. */
  readonly sortsBefore: string | null;
}
export interface InitResult {
  readonly created: readonly string[];
  readonly existed: readonly string[];
}
export interface DevStatus {
  readonly running: boolean;
  readonly pid: number | null;
  readonly directory: string;
  /** For psql and others: the password is in a file that the URL names. */
  readonly url: string | null;
}
