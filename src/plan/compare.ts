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
  const applied = new Set<string>();
  const appliedRepeatables = new Set<string>();
  for (const row of rows) {
    const [map, set] = row.kind === "versioned" ? [versioned, applied] : [repeatable, appliedRepeatables];
    map.set(row.id, row);
    if (isApplied(row)) set.add(row.id);
  }
  const pending: MigrationFile[] = [];
  const repeatables: MigrationFile[] = [];
  const changed: { file: MigrationFile; row: HistoryRow }[] = [];
  let found = 0;
  for (const file of files) {
    const row = (file.kind === "versioned" ? versioned : repeatable).get(file.id);
    if (file.kind === "repeatable") {
      if (!isApplied(row) || row?.checksum !== file.checksum) repeatables.push(file);
    } else if (row === undefined || !isApplied(row)) {
      pending.push(file);
    } else {
      found += 1;
      if (row.checksum !== file.checksum) changed.push({ file, row });
    }
  }
  const missing = found === applied.size ? [] : missingRows(files, versioned, applied);
  return { pending, repeatables, changed, missing, rowsById: versioned, applied, appliedRepeatables };
}

function missingRows(
  files: readonly MigrationFile[],
  versioned: ReadonlyMap<string, HistoryRow>,
  applied: ReadonlySet<string>,
): HistoryRow[] {
  const onDisk = new Set(files.filter((file) => file.kind === "versioned").map((file) => file.id));
  return [...applied].filter((id) => !onDisk.has(id)).map((id) => versioned.get(id)!);
}

/** Applied rows in the order in which `down` takes them back: the last applied first. */
export function inDownOrder(rows: readonly HistoryRow[]): HistoryRow[] {
  return rows
    .filter((row) => row.kind === "versioned" && isApplied(row))
    .sort((a, b) => (b.appliedSeq ?? 0) - (a.appliedSeq ?? 0));
}
