import type { Direction } from "../core/events.ts";
import type { StepNote } from "../history/types.ts";
import type { MigrationFormat, MigrationKind } from "../migrations/types.ts";
import type { Statement } from "../sql/types.ts";

/**
 * The smallest unit that is retried or resumed: `transaction` statements commit together;
 * `standalone` is one statement outside any transaction block; `code` calls a module's function.
 */
export type PlanStep =
  | { readonly kind: "transaction"; readonly ordinal: number; readonly statements: readonly Statement[] }
  | { readonly kind: "standalone"; readonly ordinal: number; readonly statement: Statement }
  | { readonly kind: "code"; readonly ordinal: number; readonly transaction: boolean };

/** Why a migration is in the plan. */
export type PlanReason =
  | "pending"
  | "failed before"
  | "half applied"
  | "out of order"
  | "changed"
  | "asked for";

/** Where a half-done migration goes on. */
export interface PlanResume {
  /** So many leading steps are done. */
  readonly done: number;
  /** What the ledger says of the step after them: `intended` means that its outcome is unknown and the catalog decides. */
  readonly next: "intended" | "failed" | null;
  /** The step that was begun behind them; null: none was. */
  readonly begun: BegunStep | null;
}

/** A step that an earlier run began and that the ledger does not call done, with what can be known of it without the catalog. */
export interface BegunStep {
  readonly ordinal: number;
  /** Of its statement, or the checksum of its code. */
  readonly hash: string;
  readonly state: "intended" | "failed" | "unknown";
  /** The ledger alone tells that it had no effect, except for what the catalog shows. */
  readonly hadNoEffect: boolean;
  /** Whether the next step is the same: otherwise what became of the earlier one must be settled before anything else is run. */
  readonly isNext: boolean;
  /** As it was run; null: code, or its text is not known any more. */
  readonly statement: Statement | null;
  readonly note: StepNote | null;
}

export interface PlannedMigration {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly format: MigrationFormat;
  readonly direction: Direction;
  readonly reason: PlanReason;
  readonly description: string;
  /** Path shown to people; null when only the history has the SQL. */
  readonly path: string | null;
  readonly checksum: string;
  readonly downChecksum: string | null;
  /** The texts stored with the history, so that `down` works without the file. */
  readonly upSql: string;
  readonly downSql: string | null;
  readonly requires: readonly string[];
  readonly irreversible: string | null;
  /** Hashes of the statements of `up`, stored with the history. */
  readonly statementHashes: readonly string[];
  /** Absolute path of the module of a code migration. */
  readonly modulePath: string | null;
  /** Set where an earlier run did part of the steps; null: starts from its first step. */
  readonly resume: PlanResume | null;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Whether what its statements would make may be there already, if it equals that. */
  readonly tolerateExisting: boolean;
  readonly steps: readonly PlanStep[];
}

/** What will be done to one target, in order. Pure data: printing it, comparing it or running it needs nothing else. */
export interface Plan {
  readonly stream: string;
  /** `<stream>` or `<stream>/<tenant>`. */
  readonly target: string;
  /** The tenant's schema; empty for a target that is a whole database. */
  readonly targetSchema: string;
  readonly direction: Direction;
  readonly migrations: readonly PlannedMigration[];
  readonly warnings: readonly PlanWarning[];
}

export interface PlanWarning {
  readonly message: string;
  readonly hint: string | null;
}
