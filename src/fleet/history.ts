import { didYouMean } from "../core/similar.ts";
import { readLog, readLoggedIds } from "../history/log.ts";
import { readSnapshot } from "../history/read.ts";
import { ident } from "../sql/quote.ts";
import type { FleetIo } from "./io.ts";
import type { HistoryOptions } from "./options.ts";
import type { HistoryEntry, HistoryResult } from "./results.ts";
import { selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

const DEFAULT_LIMIT = 100;

/**
 * What was done to every selected target, oldest first. Reads only. An id of which no target's history has anything is told as a
 * warning, with the one that was probably meant.
 */
export async function history(io: FleetIo, options: HistoryOptions): Promise<HistoryResult> {
  const targets: HistoryResult["targets"][number][] = [];
  const known: string[] = [];
  for (const stream of selectStreams(io.config, options.streams)) {
    const target = await resolveTarget(io, stream);
    const entries = await withTargetSession(io, target, async (session): Promise<HistoryEntry[]> => {
      const { meta } = await readSnapshot(session, target.scope);
      if (meta === null) return [];
      const log = await readLog(session, target.scope, {
        limit: options.limit ?? DEFAULT_LIMIT,
        migrationId: options.id,
      });
      if (log.length === 0 && options.id !== undefined)
        known.push(...(await readLoggedIds(session, target.scope)));
      const ids = [...new Set(log.flatMap((entry) => entry.runId ?? []))];
      const runs = await session.rows(
        `SELECT run_id, concat_ws('@', coalesce(os_user, db_user), host) AS by FROM ${ident(target.scope.schema)}.runs WHERE run_id = ANY ($1)`,
        [ids],
      );
      const by = new Map(runs.map((row) => [row.run_id, row.by ?? null]));
      return log.map((entry) => ({
        seq: entry.seq,
        at: entry.at,
        level: entry.level,
        event: entry.event,
        id: entry.migrationId,
        message: entry.message,
        runId: entry.runId,
        by: by.get(entry.runId) ?? null,
        details: JSON.parse(entry.detailsText) as unknown,
      }));
    });
    targets.push({ target: target.id, database: target.label, entries });
  }
  if (options.id !== undefined && known.length > 0 && targets.every(({ entries }) => entries.length === 0)) {
    io.emit({
      type: "warning",
      target: null,
      message: `the history has nothing of ${options.id}`,
      hint: didYouMean(options.id, known, "`godwit status` lists the ids"),
    });
  }
  return { targets };
}
