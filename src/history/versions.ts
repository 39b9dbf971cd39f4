import { initial } from "./sql/0001-initial.ts";
import { leases } from "./sql/0002-leases.ts";

/** One numbered upgrade of the history schema. Applied ones are never edited. */
export interface HistoryUpgrade {
  readonly version: number;
  /** Oldest history version that software must know to read what this upgrade leaves. */
  readonly minReader: number;
  /** The same for writing. */
  readonly minWriter: number;
  /** SQL for a quoted schema name. */
  readonly sql: (schema: string) => string;
}

export const HISTORY_UPGRADES: readonly HistoryUpgrade[] = [
  { version: 1, minReader: 1, minWriter: 1, sql: initial },
  { version: 2, minReader: 1, minWriter: 2, sql: leases },
];

/** The history version that this software writes. */
export const HISTORY_VERSION: number = HISTORY_UPGRADES.at(-1)!.version;
