import { readDetails, readSnapshot } from "../history/read.ts";
import type { HistoryDetail } from "../history/types.ts";
import { describeHolder, findHolder } from "../lock/holder.ts";
import { describeId } from "../migrations/description.ts";
import { compareIds } from "../migrations/order.ts";
import type { MigrationFile } from "../migrations/types.ts";
import { compareWithHistory, isApplied } from "../plan/compare.ts";
import { judgeChanges, type ChangedFile } from "./changed-files.ts";
import type { FleetIo } from "./io.ts";
import type { VerbOptions } from "./options.ts";
import type { MigrationFlag, MigrationStatusRow, StatusResult, TargetStatus } from "./results.ts";
import { filesOf, listed, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";
import { findUnfinished, stateOf, type Unfinished } from "./unfinished.ts";
import { wasSuperseded } from "./up-plan.ts";
import type { Session } from "../postgres/session.ts";

/**
 * What is applied, pending, failed or otherwise worth knowing on every selected target. Creates nothing; a role that
 * may only read is enough. A folder that is gone is an error only while nothing is applied.
 * @throws GodwitError MIGRATIONS_NOT_FOUND, DATABASE_UNREACHABLE and of the configuration.
 */
export async function status(io: FleetIo, options: VerbOptions): Promise<StatusResult> {
  const targets: TargetStatus[] = [];
  for (const stream of selectStreams(io.config, options.streams)) {
    const files = listed(io, stream);
    const target = await resolveTarget(io, stream);
    const read = await withTargetSession(io, target, (session) => statusOf(session, target, files));
    // Asked again for the sake of its message: no files and nothing applied is a mistake, not a state.
    if (files.length === 0 && read.migrations.length === 0) filesOf(io, stream);
    targets.push(read);
  }
  return { targets };
}

async function statusOf(
  session: Session,
  target: Target,
  files: readonly MigrationFile[],
): Promise<TargetStatus> {
  const { facts, meta, rows } = await readSnapshot(session, target.scope);
  const comparison = compareWithHistory(files, rows);
  const details = meta === null ? [] : await readDetails(session, target.scope);
  const unfinished = await findUnfinished(session, target, files, { meta, rows });
  const changes = new Map(
    (await judgeChanges(session, target.scope, comparison)).map((one) => [one.file.id, one.change]),
  );
  const holder = await findHolder(session, target.scope);
  const byKey = new Map(details.map((row) => [`${row.kind} ${row.id}`, row]));

  const superseded = new Set<string>();
  for (const file of meta === null ? [] : comparison.repeatables) {
    if (await wasSuperseded(session, target, file)) superseded.add(file.id);
  }
  const migrations: MigrationStatusRow[] = files.map((file) => {
    const row = byKey.get(`${file.kind} ${file.id}`);
    byKey.delete(`${file.kind} ${file.id}`);
    const stale = file.kind === "repeatable" && comparison.repeatables.includes(file);
    return statusRow(file.id, file.kind, row, {
      unfinished: unfinished.get(file.id),
      change: changes.get(file.id),
      missing: false,
      stale: stale && !superseded.has(file.id),
      superseded: superseded.has(file.id),
    });
  });
  for (const row of byKey.values()) {
    if (row.status === "rolled_back" || row.status === "pending") continue;
    migrations.push(
      statusRow(row.id, row.kind, row, {
        unfinished: unfinished.get(row.id),
        change: undefined,
        missing: true,
        stale: false,
        superseded: false,
      }),
    );
  }
  const ordered = markOutOfOrder(migrations, details);
  const counts = countsOf(ordered);
  return {
    target: target.id,
    stream: target.stream.name,
    database: target.label,
    server: `PostgreSQL ${facts.versionText}`,
    historyVersion: meta?.version ?? null,
    migrations: ordered,
    counts,
    code: codeOf(
      [...unfinished.values()].some((one) => one.obstacle !== null),
      holder !== null,
      counts,
    ),
    lockedBy: holder === null ? null : describeHolder(holder),
  };
}

function statusRow(
  id: string,
  kind: MigrationStatusRow["kind"],
  row: HistoryDetail | undefined,
  found: {
    readonly unfinished: Unfinished | undefined;
    readonly change: ChangedFile["change"] | undefined;
    readonly missing: boolean;
    readonly stale: boolean;
    readonly superseded: boolean;
  },
): MigrationStatusRow {
  const flags: MigrationFlag[] = [];
  if (row?.status === "baseline") flags.push("baseline");
  if (row?.status === "rolled_back") flags.push("rolled_back");
  if (found.unfinished?.direction === "down") flags.push("half_taken_back");
  if (found.missing) flags.push("file_missing");
  if (found.change === "edited") flags.push("file_changed");
  if (found.change === "reformatted") flags.push("file_reformatted");
  if (found.change === "down") flags.push("down_changed");
  if (found.superseded) flags.push("superseded");
  return {
    id,
    kind,
    state: stateOf(row, found.unfinished, found.stale),
    flags,
    description: row?.description ?? describeId(id),
    appliedAt: row?.appliedAt ?? null,
    appliedBy: row?.appliedBy ?? null,
    executionMs: row?.executionMs ?? null,
    error: row?.error?.message ?? null,
  };
}

/** By id, repeatables last; an applied one is out of order if a later id was applied before it. */
function markOutOfOrder(
  rows: readonly MigrationStatusRow[],
  details: readonly HistoryDetail[],
): MigrationStatusRow[] {
  const seq = new Map(details.filter((row) => isApplied(row)).map((row) => [row.id, row.appliedSeq ?? 0]));
  const ordered = rows.toSorted((a, b) =>
    a.kind === b.kind ? compareIds(a.id, b.id) : a.kind === "versioned" ? -1 : 1,
  );
  let earliest = Infinity;
  const marked = ordered.toReversed().map((row): MigrationStatusRow => {
    const own = row.kind === "versioned" ? seq.get(row.id) : undefined;
    if (own === undefined) return row;
    const late = own > earliest;
    earliest = Math.min(earliest, own);
    return late ? { ...row, flags: [...row.flags, "out_of_order"] } : row;
  });
  return marked.reverse();
}

function countsOf(rows: readonly MigrationStatusRow[]): TargetStatus["counts"] {
  const count = (test: (row: MigrationStatusRow) => boolean): number => rows.filter(test).length;
  return {
    applied: count((row) => row.state === "applied"),
    pending: count((row) => row.state === "pending" && !row.flags.includes("superseded")),
    failed: count((row) => row.state === "failed" || row.state === "half_applied"),
    changed: count((row) => row.flags.includes("file_changed")),
    missing: count((row) => row.flags.includes("file_missing")),
  };
}

/** 9 before 5 before 3. While somebody holds the lock work is going on, and nothing is a case for a person yet. */
function codeOf(stuck: boolean, locked: boolean, counts: TargetStatus["counts"]): TargetStatus["code"] {
  if (!locked && stuck) return "NEEDS_REPAIR";
  if (counts.changed > 0) return "CHECKSUM_MISMATCH";
  return counts.pending + counts.failed > 0 ? "PENDING" : "OK";
}
