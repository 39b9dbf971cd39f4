import { readLog } from "../history/log.ts";
import { readSnapshot } from "../history/read.ts";
import { ident } from "../sql/quote.ts";
import type { FleetIo } from "./io.ts";
import type { HistoryOptions } from "./options.ts";
import type { HistoryEntry, HistoryResult } from "./results.ts";
import { selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

const DEFAULT_LIMIT = 100;

/** What was done to every selected target, oldest first. Reads only. */
export async function history(io: FleetIo, options: HistoryOptions): Promise<HistoryResult> {
  const targets: HistoryResult["targets"][number][] = [];
  for (const stream of selectStreams(io.config, options.streams)) {
    const target = await resolveTarget(io, stream);
    const entries = await withTargetSession(io, target, async (session): Promise<HistoryEntry[]> => {
      const { meta } = await readSnapshot(session, target.scope);
      if (meta === null) return [];
      const log = await readLog(session, target.scope, {
        limit: options.limit ?? DEFAULT_LIMIT,
        migrationId: options.id,
      });
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
  return { targets };
}
