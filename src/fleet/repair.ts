import { GodwitError } from "../core/error.ts";
import type { LockedTarget } from "../execute/locked-target.ts";
import { readDetails, readSnapshot, type HistoryScope } from "../history/read.ts";
import type { HistoryRow } from "../history/types.ts";
import { parseMigration } from "../migrations/parse.ts";
import { didYouMean } from "../core/similar.ts";
import type { Migration, MigrationFile, MigrationKind } from "../migrations/types.ts";
import { isApplied } from "../plan/compare.ts";
import { actEntry, recordOfFile } from "./adopt-files.ts";
import type { FleetIo } from "./io.ts";
import type { RepairAction, RepairOptions } from "./options.ts";
import { diagnose } from "./repair-diagnosis.ts";
import { markStep } from "./repair-step.ts";
import type { RepairResult } from "./results.ts";
import { filesOf, listed, selectOneStream, selectStreams } from "./streams.ts";
import { assertStorable } from "./storable-files.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { lockTarget } from "./lock-target.ts";

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
  // A folder that is missing must not be taken for files that vanished, every one of them.
  const chosen = (options.ids ?? []).length > 0;
  const files = action === "forget" && !chosen ? filesOf(io, stream) : listed(io, stream);
  const target = await resolveTarget(io, stream);
  const repaired: RepairResult["repaired"][number][] = [];
  await withTargetSession(io, target, async (session) => {
    const { facts, rows } = await readSnapshot(session, target.scope);
    if (choose(action, options.ids, files, rows).length === 0) return;
    await lockTarget(
      io,
      target,
      { session, facts },
      () => ({ needed: true, pending: null }),
      async (locked) => {
        const subjects = choose(action, options.ids, files, locked.snapshot.rows);
        const parsed = await parsedFiles(action, subjects);
        await assertStorable(io, { session, facts }, [...parsed.values()]);
        for (const subject of subjects) {
          await act(locked, { scope: target.scope, action, subject, reason, parsed });
          repaired.push({ target: target.id, id: subject.id, action });
        }
      },
    );
  });
  return { runId: io.run.runId, repaired, remaining: await diagnose(io, stream) };
}

/** A migration that is acted on: what the folder and the history have of it. */
interface Subject {
  readonly id: string;
  readonly kind: MigrationKind;
  readonly file: MigrationFile | undefined;
  readonly row: HistoryRow | undefined;
}

interface Act {
  readonly scope: HistoryScope;
  readonly action: RepairAction;
  readonly subject: Subject;
  readonly reason: string;
  readonly parsed: ReadonlyMap<MigrationFile, Migration>;
}

/** The files whose texts are to be stored; malformed ones refuse the whole command before anything is written. */
async function parsedFiles(
  action: RepairAction,
  subjects: readonly Subject[],
): Promise<Map<MigrationFile, Migration>> {
  const parsed = new Map<MigrationFile, Migration>();
  if (action !== "accept-checksum" && action !== "mark-applied") return parsed;
  for (const { file } of subjects) if (file !== undefined) parsed.set(file, await parseMigration(file));
  return parsed;
}

async function act(locked: LockedTarget, { scope, action, subject, reason, parsed }: Act): Promise<void> {
  const { writer } = locked.context;
  const { id, kind, file, row } = subject;
  const before = { status: row?.status ?? null, checksum: row?.checksum ?? null };
  switch (action) {
    case "accept-checksum": {
      const record = recordOfFile(parsed.get(file!)!, row!.status);
      await writer.write({
        log: [
          actEntry("repair.checksum_accepted", id, `accepted the file of ${id} as applied`, reason, {
            ...before,
            accepted: record.checksum,
          }),
        ],
        statements: writer.statements.acceptFile(record),
      });
      return;
    }
    case "forget":
      await writer.write({
        log: [actEntry("repair.forgotten", id, `forgot ${id}`, reason, before)],
        statements: [writer.statements.forgetSteps(id, kind), writer.statements.forgetMigration(id, kind)],
      });
      return;
    case "mark-applied":
      await writer.write({
        log: [actEntry("repair.marked_applied", id, `declared ${id} applied`, reason, before)],
        migration: recordOfFile(parsed.get(file!)!, "completed"),
        statements: [writer.statements.forgetSteps(id, kind)],
      });
      return;
    case "mark-step-applied":
    case "mark-step-not-applied":
      return markStep(locked, scope, action, subject, reason);
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
        statements: [writer.statements.forgetSteps(id, kind)],
      });
    }
  }
}

/** What an action is for; checks that it fits each of them before anything is changed. */
function choose(
  action: RepairAction,
  ids: readonly string[] | undefined,
  files: readonly MigrationFile[],
  rows: readonly HistoryRow[],
): readonly Subject[] {
  const subjects = subjectsOf(files, rows);
  if (ids === undefined || ids.length === 0) {
    if (action === "accept-checksum") {
      return subjects.filter(
        ({ kind, file, row }) =>
          kind === "versioned" && isApplied(row) && file !== undefined && file.checksum !== row?.checksum,
      );
    }
    if (action === "forget") return subjects.filter(({ file }) => file === undefined);
    throw new GodwitError("USAGE", `${action} must be told which migration`, {
      hint: `godwit repair ${action} <id> --reason "what happened"`,
    });
  }
  return ids.map((id) => {
    // Where an id was versioned once and is repeatable now, the file tells which of them is meant.
    const found = subjects.filter((one) => one.id === id);
    const subject = found.find(({ file }) => file !== undefined) ?? found[0];
    if (subject === undefined) {
      const known = [...new Set(subjects.map((one) => one.id))];
      throw new GodwitError("MIGRATION_UNKNOWN", `no migration ${id}: neither a file nor in the history`, {
        hint: didYouMean(id, known, "`godwit status` lists the ids"),
      });
    }
    const misfit = misfitOf(action, subject);
    if (misfit !== null)
      throw new GodwitError("NEEDS_REPAIR", misfit, {
        hint: "godwit repair tells what each migration needs",
      });
    return subject;
  });
}

/** Every file with its row, then the rows without a file. */
function subjectsOf(files: readonly MigrationFile[], rows: readonly HistoryRow[]): Subject[] {
  const left = new Map(rows.map((row) => [`${row.kind} ${row.id}`, row]));
  const subjects = files.map((file): Subject => {
    const { id, kind } = file;
    const row = left.get(`${kind} ${id}`);
    left.delete(`${kind} ${id}`);
    return { id, kind, file, row };
  });
  for (const row of left.values()) subjects.push({ id: row.id, kind: row.kind, file: undefined, row });
  return subjects;
}

function misfitOf(action: RepairAction, { id, file, row }: Subject): string | null {
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
    case "mark-step-applied":
    case "mark-step-not-applied":
      return row?.status === "running" || row?.status === "failed" ? null : `${id} is not half applied`;
    case "mark-not-applied":
      return row === undefined || row.status === "rolled_back"
        ? `${id} is not applied according to the history either`
        : null;
  }
}
