import type { Direction } from "../core/events.ts";
import type { MigrationFormat, MigrationKind } from "../migrations/types.ts";

export type MigrationStatus = "pending" | "running" | "completed" | "failed" | "rolled_back" | "baseline";

/** One row of `migrations`, as the planner needs it. */
export interface HistoryRow {
  readonly stream: string;
  readonly id: string;
  readonly kind: MigrationKind;
  readonly status: MigrationStatus;
  readonly checksum: string;
  readonly downChecksum: string | null;
  readonly appliedSeq: number | null;
}

/** A row with everything `status` and `history` show. Times are ISO 8601 with microseconds, UTC. */
export interface HistoryDetail extends HistoryRow {
  readonly description: string;
  readonly format: MigrationFormat;
  /** The reason its author gave for having no way down. */
  readonly irreversible: string | null;
  readonly statementHashes: readonly string[];
  readonly requires: readonly string[];
  readonly appliedAt: string | null;
  readonly appliedBy: string | null;
  readonly executionMs: number | null;
  readonly runId: string | null;
  readonly toolVersion: string;
  readonly error: StoredError | null;
}

export interface StoredError {
  readonly message: string;
  readonly sqlstate: string | null;
  readonly detail: string | null;
  readonly location: string | null;
}

/** `failed`: it had no effect, or one that the catalog shows. `unknown`: it reported an error and may have committed a part. */
export type StepState = "intended" | "done" | "failed" | "unknown";

/** One row of the step ledger: a step of a migration that has more than one. */
export interface StepRow {
  readonly id: string;
  readonly direction: Direction;
  readonly ordinal: number;
  readonly statementHash: string;
  /** Of each statement of the step, in order; null: written by version 1 of the history, which kept `statementHash` alone. */
  readonly statementHashes: readonly string[] | null;
  readonly state: StepState;
}

/** What the catalog said of the objects of a statement before it was run: plain JSON, of a form that its kind of statement knows. */
export type StepNote = Readonly<Record<string, unknown>>;

export interface MetaRow {
  readonly version: number;
  readonly minReader: number;
  readonly minWriter: number;
}
