import { GodwitError } from "../core/error.ts";
import { readDetails, readFiles, readOpenSteps, type HistorySnapshot } from "../history/read.ts";
import type { HistoryDetail, StepRow } from "../history/types.ts";
import { parseMigration, parseMigrations } from "../migrations/parse.ts";
import { parseStored } from "../migrations/stored.ts";
import type { MigrationFile, Section } from "../migrations/types.ts";
import { isApplied } from "../plan/compare.ts";
import { isHalfUp } from "../plan/half-up.ts";
import { planDown, selectDown, type DownSelection, type DownSource } from "../plan/plan-down.ts";
import type { Plan, PlanWarning } from "../plan/types.ts";
import type { Session } from "../postgres/session.ts";
import { readBegun } from "./begun-steps.ts";
import { askCatalog } from "./catalog-answers.ts";
import type { FleetIo } from "./io.ts";
import type { DownOptions } from "./options.ts";
import type { Target } from "./target.ts";
import { isSameWayDown } from "./same-way-down.ts";
import { pathShower } from "./show-path.ts";

/** What the options of `down` choose. @throws GodwitError USAGE for a contradiction. */
export function downSelection(options: DownOptions): DownSelection {
  const given = [options.all === true, options.to !== undefined, options.steps !== undefined].filter(Boolean);
  if (given.length > 1) {
    throw new GodwitError("USAGE", "a number, --to and --all each say how far to go back", {
      hint: "give one of them",
    });
  }
  if (options.all === true) return { all: true };
  if (options.to !== undefined) return { to: options.to };
  const steps = options.steps ?? 1;
  if (!Number.isInteger(steps) || steps < 1) {
    throw new GodwitError("USAGE", `${steps} is not a number of migrations to take back`, {
      hint: "godwit down 1",
    });
  }
  return { steps };
}

export interface DownPlan {
  readonly plan: Plan;
  /** The section that each migration runs, to plan it anew if need be. */
  readonly sections: ReadonlyMap<string, Section>;
}

/**
 * Plans `down` for one target. What runs is the stored SQL; where the file says something else by now, the plan says so.
 * @throws GodwitError IRREVERSIBLE, NEEDS_REPAIR, MIGRATION_UNKNOWN, GRAPH_UNMET_REQUIREMENT.
 */
export async function makeDownPlan(
  io: FleetIo,
  session: Session,
  target: Target,
  files: readonly MigrationFile[],
  snapshot: HistorySnapshot,
  selection: DownSelection,
): Promise<DownPlan> {
  const details = snapshot.meta === null ? [] : await readDetails(session, target.scope);
  const ledger: StepRow[] = snapshot.meta === null ? [] : await readOpenSteps(session, target.scope);
  const rows = selectDown(details, ledger, selection);
  assertNoneRequired(rows, details);
  assertNoneHalfUp(rows, details, ledger);
  const { sources, warnings } = await findSources(io, session, target, files, rows);
  const sections = new Map<string, Section>();
  for (const [id, source] of sources) if (source.section !== null) sections.set(id, source.section);
  const alone = await askCatalog(
    session,
    [...sections].map(([id, section]) => ({ id, section })),
  );
  const plan = planDown({
    stream: target.stream.name,
    target: target.id,
    targetSchema: target.scope.targetSchema,
    lockTimeoutMs: io.config.safety.lockTimeoutMs,
    statementTimeoutMs: io.config.safety.statementTimeoutMs,
    showPath: pathShower(io),
    rows,
    sources,
    ledger,
    begun: await readBegun(session, target.scope, ledger, details),
    alone,
    warnings: [...fewerThanAsked(rows, details, selection), ...warnings],
  });
  return { plan, sections };
}

/** Where a number was given that goes further back than there is anything to take back. */
function fewerThanAsked(
  { length }: readonly HistoryDetail[],
  all: readonly HistoryDetail[],
  selection: DownSelection,
): PlanWarning[] {
  if (!("steps" in selection) || length === 0 || length >= selection.steps) return [];
  const where = all.some(({ status }) => status === "baseline") ? " above the baseline" : "";
  const what = `only ${length} ${length === 1 ? "is" : "are"} applied${where}`;
  return [{ message: `${what}, fewer than the ${selection.steps} asked for`, hint: null }];
}

async function findSources(
  io: FleetIo,
  session: Session,
  target: Target,
  files: readonly MigrationFile[],
  rows: readonly HistoryDetail[],
): Promise<{ sources: Map<string, DownSource>; warnings: PlanWarning[] }> {
  if (rows.length === 0) return { sources: new Map(), warnings: [] };
  const onDisk = new Map(files.filter((file) => file.kind === "versioned").map((file) => [file.id, file]));
  const stored = await readFiles(
    session,
    target.scope,
    rows.map((row) => row.checksum),
  );
  const sources = new Map<string, DownSource>();
  const warnings: PlanWarning[] = [];
  for (const row of rows) {
    const file = onDisk.get(row.id);
    const source =
      row.format === "code"
        ? await codeSource(io, row, file, warnings)
        : await sqlSource(io, row, file, stored.get(row.checksum), warnings);
    sources.set(row.id, source);
  }
  return { sources, warnings };
}

const NOTHING: DownSource = {
  section: null,
  path: null,
  modulePath: null,
  lockTimeoutMs: null,
  statementTimeoutMs: null,
};

/** The stored text; with the file's name where the file still says the same. */
async function sqlSource(
  io: FleetIo,
  row: HistoryDetail,
  file: MigrationFile | undefined,
  stored: { readonly upSql: string; readonly downSql: string | null } | undefined,
  warnings: PlanWarning[],
): Promise<DownSource> {
  if (stored === undefined || stored.downSql === null) return NOTHING;
  const { stream, id, kind, checksum } = row;
  const migration = await parseStored({ stream, id, kind, checksum, ...stored });
  const { down: section, lockTimeoutMs, statementTimeoutMs } = migration;
  const current = file === undefined ? null : await downOf(file);
  const same = file !== undefined && current?.checksum === row.downChecksum;
  if (file !== undefined && !same && !isSameWayDown(section, current)) {
    warnings.push({
      message: `${id}: its file has another way down by now; the stored one runs`,
      hint: null,
    });
  }
  const path = same ? pathShower(io)(file.downPath ?? file.path) : null;
  return { section, path, modulePath: null, lockTimeoutMs, statementTimeoutMs };
}

async function codeSource(
  io: FleetIo,
  row: HistoryDetail,
  file: MigrationFile | undefined,
  warnings: PlanWarning[],
): Promise<DownSource> {
  if (file === undefined) return NOTHING;
  const { down: section, lockTimeoutMs, statementTimeoutMs } = await parseMigration(file);
  if (file.checksum !== row.checksum) {
    warnings.push({
      message: `${row.id}: its code was edited since it was applied; the edited code runs`,
      hint: null,
    });
  }
  return {
    section,
    path: pathShower(io)(file.path),
    modulePath: file.path,
    lockTimeoutMs,
    statementTimeoutMs,
  };
}

/** A file that cannot be parsed any more does not have the way down that was stored. */
async function downOf(file: MigrationFile): Promise<Section | null> {
  const { migrations } = await parseMigrations([file]);
  return migrations[0]?.down ?? null;
}

/**
 * Refuses to take back what a half-applied migration stands on: what is done of it would be gone with that, and the next `up` would
 * go on behind it all the same. Without `requires` it stands on all that was applied before.
 */
function assertNoneHalfUp(
  rows: readonly HistoryDetail[],
  all: readonly HistoryDetail[],
  ledger: readonly StepRow[],
): void {
  for (const half of all.filter((row) => isHalfUp(row, ledger))) {
    const under = rows.find(
      (row) => isApplied(row) && (half.requires.length === 0 || half.requires.includes(row.id)),
    );
    if (under === undefined) continue;
    throw new GodwitError("NEEDS_REPAIR", `${half.id} is half applied, and stands on ${under.id}`, {
      hint:
        "finish it, to take it back as well: godwit up\n" +
        `or undo by hand what it did, then: godwit repair mark-not-applied ${half.id} --reason "…"`,
    });
  }
}

/** Refuses to take back what a migration that stays requires by name. */
function assertNoneRequired(rows: readonly HistoryDetail[], all: readonly HistoryDetail[]): void {
  const taken = new Set(rows.map((row) => row.id));
  for (const other of all) {
    if (taken.has(other.id) || (other.status !== "completed" && other.status !== "baseline")) continue;
    const required = other.requires.find((name) => taken.has(name));
    if (required === undefined) continue;
    throw new GodwitError("GRAPH_UNMET_REQUIREMENT", `${other.id} is applied and requires ${required}`, {
      hint: `take ${other.id} back as well, or leave ${required}`,
    });
  }
}
