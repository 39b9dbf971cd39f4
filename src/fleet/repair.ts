import { GodwitError } from "../core/error.ts";
import type { LockedTarget } from "../execute/locked-target.ts";
import { readDetails, readSnapshot, type HistoryScope } from "../history/read.ts";
import type { HistoryRow } from "../history/types.ts";
import { parseMigration } from "../migrations/parse.ts";
import { didYouMean } from "../migrations/similar.ts";
import type { MigrationFile } from "../migrations/types.ts";
import { isApplied } from "../plan/compare.ts";
import { actEntry, recordOfFile } from "./adopt-files.ts";
import { listed } from "./down.ts";
import type { FleetIo } from "./io.ts";
import type { RepairAction, RepairOptions } from "./options.ts";
import { diagnose } from "./repair-diagnosis.ts";
import type { RepairResult } from "./results.ts";
import { selectOneStream, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { lockTarget } from "./target-run.ts";

/**
 * Changes what the history says of migrations, never the objects of the database: each act is asked for by name, has a reason, and is
 * logged. Without an action: tells what needs a person, and the choices.
 * @throws GodwitError USAGE for an action without reason or ids; MIGRATION_UNKNOWN; NEEDS_REPAIR for an action that does not fit.
 */
export async function repair(io: FleetIo, options: RepairOptions): Promise<RepairResult> {
  const { action } = options;
  if (action === undefined) {
    const remaining = [];
    for (const stream of selectStreams(io.config, options.streams))
      remaining.push(...(await diagnose(io, stream)));
    return { runId: null, repaired: [], remaining };
  }
  const reason = options.reason?.trim() ?? "";
  if (reason === "") {
    throw new GodwitError("USAGE", "a repair needs a reason; it is written to the log", {
      hint: `godwit repair ${action} ${(options.ids ?? ["<id>"]).join(" ")} --reason "what happened"`,
    });
  }
  const stream = selectOneStream(io.config, options.streams, "repair");
  const files = listed(io, stream);
  const target = await resolveTarget(io, stream);
  const repaired: RepairResult["repaired"][number][] = [];
  await withTargetSession(io, target, async (session) => {
    const { facts, rows } = await readSnapshot(session, target.scope);
    chooseIds(action, options.ids, files, rows);
    await lockTarget(
      io,
      target,
      { session, facts },
      () => true,
      async (locked) => {
        for (const id of chooseIds(action, options.ids, files, locked.snapshot.rows)) {
          await act(locked, { scope: target.scope, action, id, reason, files });
          repaired.push({ target: target.id, id, action });
        }
      },
    );
  });
  return { runId: io.run.runId, repaired, remaining: await diagnose(io, stream) };
}

interface Act {
  readonly scope: HistoryScope;
  readonly action: RepairAction;
  readonly id: string;
  readonly reason: string;
  readonly files: readonly MigrationFile[];
}

async function act(locked: LockedTarget, { scope, action, id, reason, files }: Act): Promise<void> {
  const { writer } = locked.context;
  const row = locked.snapshot.rows.find((one) => one.id === id);
  const kind = row?.kind ?? "versioned";
  const file = files.find((one) => one.id === id && one.kind === kind);
  const before = { status: row?.status ?? null, checksum: row?.checksum ?? null };
  switch (action) {
    case "accept-checksum": {
      const record = recordOfFile(await parseMigration(file!), row!.status);
      await writer.write({
        log: [
          actEntry("repair.checksum_accepted", id, `accepted the file of ${id} as applied`, reason, {
            ...before,
            accepted: record.checksum,
          }),
        ],
        statements: writer.acceptFile(record),
      });
      return;
    }
    case "forget":
      await writer.write({
        log: [actEntry("repair.forgotten", id, `forgot ${id}`, reason, before)],
        statements: [writer.forgetSteps(id, kind), writer.forgetMigration(id, kind)],
      });
      return;
    case "mark-applied":
      await writer.write({
        log: [actEntry("repair.marked_applied", id, `declared ${id} applied`, reason, before)],
        migration: recordOfFile(await parseMigration(file!), "completed"),
        statements: [writer.forgetSteps(id, kind)],
      });
      return;
    case "mark-not-applied": {
      const details = await readDetails(locked.context.session, scope);
      const detail = details.find((one) => one.id === id && one.kind === kind);
      await writer.write({
        log: [actEntry("repair.marked_not_applied", id, `declared ${id} not applied`, reason, before)],
        migration: {
          id,
          kind,
          format: detail!.format,
          description: detail!.description,
          status: "rolled_back",
          checksum: detail!.checksum,
          downChecksum: detail!.downChecksum,
          statementHashes: detail!.statementHashes,
          requires: detail!.requires,
          irreversible: detail!.irreversible,
          executionMs: null,
          error: null,
          files: null,
        },
        statements: [writer.forgetSteps(id, kind)],
      });
    }
  }
}

/** The ids that an action is for; checks that it fits each of them before anything is changed. */
function chooseIds(
  action: RepairAction,
  ids: readonly string[] | undefined,
  files: readonly MigrationFile[],
  rows: readonly HistoryRow[],
): readonly string[] {
  const fileById = new Map(files.map((file) => [file.id, file]));
  const rowById = new Map(rows.map((row) => [row.id, row]));
  if (ids === undefined || ids.length === 0) {
    if (action === "accept-checksum") {
      return rows
        .filter(
          (row) =>
            isApplied(row) &&
            row.kind === "versioned" &&
            (fileById.get(row.id)?.checksum ?? row.checksum) !== row.checksum,
        )
        .map((row) => row.id);
    }
    if (action === "forget") return rows.filter((row) => !fileById.has(row.id)).map((row) => row.id);
    throw new GodwitError("USAGE", `${action} must be told which migration`, {
      hint: `godwit repair ${action} <id> --reason "what happened"`,
    });
  }
  for (const id of ids) {
    const known = [...new Set([...fileById.keys(), ...rowById.keys()])];
    if (!known.includes(id)) {
      throw new GodwitError("MIGRATION_UNKNOWN", `no migration ${id}: neither a file nor in the history`, {
        hint: didYouMean(id, known, "`godwit status` lists the ids"),
      });
    }
    const misfit = misfitOf(action, id, fileById.get(id), rowById.get(id));
    if (misfit !== null)
      throw new GodwitError("NEEDS_REPAIR", misfit, {
        hint: "godwit repair tells what each migration needs",
      });
  }
  return ids;
}

function misfitOf(
  action: RepairAction,
  id: string,
  file: MigrationFile | undefined,
  row: HistoryRow | undefined,
): string | null {
  switch (action) {
    case "accept-checksum":
      if (file === undefined) return `${id} has no file whose checksum could be accepted`;
      return row === undefined || !isApplied(row)
        ? `${id} is not applied, so there is no checksum to compare with`
        : null;
    case "forget":
      if (row === undefined) return `${id} is not in the history`;
      return file === undefined
        ? null
        : `${id} has a file; forgetting it would only make it pending: use mark-not-applied`;
    case "mark-applied":
      if (file === undefined) return `${id} has no file, so what would be declared applied is not known`;
      return isApplied(row) ? `${id} is applied already` : null;
    case "mark-not-applied":
      return row === undefined || row.status === "rolled_back"
        ? `${id} is not applied according to the history either`
        : null;
  }
}
