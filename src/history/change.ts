import type { Direction } from "../core/events.ts";
import type { MigrationFormat, MigrationKind } from "../migrations/types.ts";
import type { LogEntry } from "./log-chain.ts";
import type { MigrationStatus, StepState, StoredError } from "./types.ts";

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
