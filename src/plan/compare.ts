import type { HistoryRow } from "../history/types.ts";
import type { MigrationFile } from "../migrations/types.ts";

/** Files on disk set against the history: what each row and file is to the other. Decided by sets of ids, never by a maximum (law 1). */
export interface Comparison {
  /** Versioned files that are not applied, in id order: never run, failed, taken back or half applied. */
  readonly pending: readonly MigrationFile[];
  /** Repeatable files whose checksum differs from the applied one, or that were never applied. */
  readonly repeatables: readonly MigrationFile[];
  /** Applied migrations whose file has another checksum now. */
  readonly changed: readonly { readonly file: MigrationFile; readonly row: HistoryRow }[];
  /** Applied migrations without a file. */
  readonly missing: readonly HistoryRow[];
  readonly rowsById: ReadonlyMap<string, HistoryRow>;
  /** Ids of applied versioned migrations. */
  readonly applied: ReadonlySet<string>;
  readonly appliedRepeatables: ReadonlySet<string>;
}

/** Whether a row says that its migration is in the database. */
export function isApplied(row: HistoryRow | undefined): boolean {
  return row?.status === "completed" || row?.status === "baseline";
}

/**
 * Compares ids and checksums. Nothing is parsed: with nothing pending and nothing changed this is all that an `up` does.
 * @param files of one stream, in id order.
 * @param rows of the same stream on one target.
 */
export function compareWithHistory(files: readonly MigrationFile[], rows: readonly HistoryRow[]): Comparison {
  const versioned = new Map<string, HistoryRow>();
  const repeatable = new Map<string, HistoryRow>();
  for (const row of rows) (row.kind === "versioned" ? versioned : repeatable).set(row.id, row);

  const pending: MigrationFile[] = [];
  const repeatables: MigrationFile[] = [];
  const changed: { file: MigrationFile; row: HistoryRow }[] = [];
  const onDisk = new Set<string>();
  for (const file of files) {
    if (file.kind === "repeatable") {
      const row = repeatable.get(file.id);
      if (!isApplied(row) || row?.checksum !== file.checksum) repeatables.push(file);
      continue;
    }
    onDisk.add(file.id);
    const row = versioned.get(file.id);
    if (!isApplied(row)) pending.push(file);
    else if (row !== undefined && row.checksum !== file.checksum) changed.push({ file, row });
  }
  const applied = new Set<string>();
  const missing: HistoryRow[] = [];
  for (const row of versioned.values()) {
    if (!isApplied(row)) continue;
    applied.add(row.id);
    if (!onDisk.has(row.id)) missing.push(row);
  }
  const appliedRepeatables = new Set([...repeatable.values()].filter(isApplied).map((row) => row.id));
  return { pending, repeatables, changed, missing, rowsById: versioned, applied, appliedRepeatables };
}

/** Applied rows in the order in which `down` takes them back: the last applied first. */
export function inDownOrder(rows: readonly HistoryRow[]): HistoryRow[] {
  return rows
    .filter((row) => row.kind === "versioned" && isApplied(row))
    .sort((a, b) => (b.appliedSeq ?? 0) - (a.appliedSeq ?? 0));
}
