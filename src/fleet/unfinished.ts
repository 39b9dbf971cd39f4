import { isGodwitError } from "../core/error.ts";
import type { Direction } from "../core/events.ts";
import { readDetails, readFiles, readOpenSteps, type HistorySnapshot } from "../history/read.ts";
import type { HistoryDetail, HistoryRow, StepRow } from "../history/types.ts";
import { parseMigration } from "../migrations/parse.ts";
import { parseStored } from "../migrations/stored.ts";
import type { MigrationFile, MigrationKind, Section } from "../migrations/types.ts";
import { hadNoEffect, wayToDecide } from "../plan/decidable.ts";
import { finishedSteps } from "../plan/finished-steps.ts";
import type { Session } from "../postgres/session.ts";
import type { Statement } from "../sql/types.ts";
import { readBegun } from "./begun-steps.ts";
import { askCatalog } from "./catalog-answers.ts";
import type { MigrationState } from "./results.ts";
import type { Target } from "./target.ts";

/** A migration of several steps that did not come to its end, as the ledger has it. */
export interface Unfinished {
  readonly id: string;
  readonly kind: MigrationKind;
  /** `down`: it is its taking back that stopped. */
  readonly direction: Direction;
  /** Steps that are done. */
  readonly done: number;
  /** The step that was begun and whose outcome the ledger does not know, from 1. */
  readonly unknown: number | null;
  /** Why it cannot go on by itself; null: it can, and the next `up` or `down` does. */
  readonly obstacle: "outcome unknown" | "catalog unclear" | "file gone" | "edited" | null;
}

/**
 * What did not come to its end, by id. A person is needed where neither ledger nor catalog tell what became of a step, or
 * where the text to go on with is gone or begins with something else than what is done.
 */
export async function findUnfinished(
  session: Session,
  target: Target,
  files: readonly MigrationFile[],
  { meta, rows }: HistorySnapshot,
): Promise<ReadonlyMap<string, Unfinished>> {
  const found = new Map<string, Unfinished>();
  if (meta === null || !rows.some(isOpen)) return found;
  const all = await readOpenSteps(session, target.scope);
  const begun = await readBegun(session, target.scope, all, rows);
  const lines = Map.groupBy(all, (line) => line.id);
  for (const row of rows.filter(isOpen)) {
    const own = lines.get(row.id);
    if (own === undefined) continue;
    const { id, kind } = row;
    const direction = own.some((line) => line.direction === "down") ? "down" : "up";
    const ledger = own.filter((line) => line.direction === direction);
    const done = ledger.filter((line) => line.state === "done");
    const line = ledger.find(({ state }) => state !== "done");
    const statement = begun.get(id)?.statement ?? null;
    const open = line === undefined || hadNoEffect(line, statement) ? undefined : line;
    const file = files.find((one) => one.id === id && one.kind === kind);
    const unknown = open?.ordinal ?? null;
    const obstacle = await obstacleOf(session, target, { row, file, direction, done, open, statement });
    found.set(id, { id, kind, direction, done: done.length, unknown, obstacle });
  }
  return found;
}

/**
 * What a row of the history comes to.
 * @param unfinished what the ledger has of it. @param stale its text is not what was applied.
 */
export function stateOf(
  row: HistoryRow | undefined,
  unfinished: Unfinished | undefined,
  stale: boolean,
): MigrationState {
  if (isOpen(row)) {
    const begun = unfinished !== undefined && (unfinished.done > 0 || unfinished.unknown !== null);
    return begun ? "half_applied" : "failed";
  }
  return (row?.status === "completed" || row?.status === "baseline") && !stale ? "applied" : "pending";
}

function isOpen(row: HistoryRow | undefined): boolean {
  return row?.status === "running" || row?.status === "failed";
}

interface Stopped {
  readonly row: HistoryRow;
  readonly file: MigrationFile | undefined;
  readonly direction: Direction;
  readonly done: readonly StepRow[];
  /** Begun, and its outcome is not in the ledger. */
  readonly open: StepRow | undefined;
  /** What was begun; null: code, or its text is not known any more. */
  readonly statement: Statement | null;
}

async function obstacleOf(
  session: Session,
  target: Target,
  stopped: Stopped,
): Promise<Unfinished["obstacle"]> {
  const { row, file, direction, done, open, statement } = stopped;
  // A repeatable always begins anew.
  if (row.kind === "repeatable") return null;
  if (direction === "up" && file === undefined) {
    if (done.length > 0) return "file gone";
    return open === undefined ? null : "outcome unknown";
  }
  if (open !== undefined) {
    if (statement === null || (await wayToDecide(statement)) === null) return "outcome unknown";
    // An earlier run has asked the catalog, and stopped.
    if (open.state === "unknown") return "catalog unclear";
  }
  if (done.length === 0 || file?.format === "code") return null;
  const section = direction === "down" ? await storedDown(session, target, row) : await upOf(file!);
  if (section === null) return "edited";
  const alone = await askCatalog(session, [{ id: row.id, section }]);
  return "edited" in finishedSteps(section, alone.get(row.id) ?? new Set(), done) ? "edited" : null;
}

/** The way up of a file; null where it cannot be parsed, or is code. */
async function upOf(file: MigrationFile): Promise<Section | null> {
  return unlessMalformed(async () => {
    const migration = await parseMigration(file);
    return migration.format === "code" ? null : migration.up;
  });
}

/** The way down that the history has, which is the one that runs. */
async function storedDown(session: Session, target: Target, row: HistoryRow): Promise<Section | null> {
  const { stream, id, kind, checksum } = row;
  const details = await readDetails(session, target.scope);
  if (details.find((one: HistoryDetail) => one.id === id && one.kind === kind)?.format === "code")
    return null;
  const stored = (await readFiles(session, target.scope, [checksum])).get(checksum);
  if (stored === undefined || stored.downSql === null) return null;
  return unlessMalformed(async () => (await parseStored({ stream, id, kind, checksum, ...stored })).down);
}

async function unlessMalformed<T>(read: () => Promise<T | null>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    return null;
  }
}
