import type { Direction, GodwitEvent } from "../core/events.ts";
import type { MigrationOutcome } from "../execute/run-migration.ts";
import type { HistorySnapshot } from "../history/read.ts";
import { isApplied } from "../plan/compare.ts";
import type { PlanWarning } from "../plan/types.ts";
import type { Session } from "../postgres/session.ts";
import { ident, literal } from "../sql/quote.ts";
import type { FleetIo } from "./io.ts";
import type { Target } from "./target.ts";
import type { TargetRun } from "./target-run.ts";

/** A migration that a run did and whose outcome it learns from the history. */
export interface Confirmed extends MigrationOutcome {
  readonly direction: Direction;
  readonly description: string;
}

/**
 * What the history says that this run did, in that order. A session that is lost while COMMIT is on its way leaves the outcome
 * open: once the lock is had again no session of the run is left, and what is not there now was rolled back (law 5). The history
 * must be there.
 */
export async function confirmedBy(session: Session, target: Target, runId: string): Promise<Confirmed[]> {
  const schema = ident(target.scope.schema);
  const rows = await session.rows(
    `SELECT m.id, m.kind, m.status, m.description, coalesce(m.execution_ms, 0) AS ms,
       pg_catalog.jsonb_array_length(l.details -> 'statements') AS statements,
       pg_catalog.jsonb_path_query_array(l.details, '$.statements[*].tolerated') AS tolerated
     FROM ${schema}.migrations m JOIN ${schema}.migration_log l
       ON (l.stream, l.target_schema, l.migration_id, l.run_id) = (m.stream, m.target_schema, m.id, m.run_id)
       AND l.event = CASE WHEN m.status = 'rolled_back' THEN 'migration.taken_back'
         WHEN m.kind = 'repeatable' THEN 'repeatable.applied' ELSE 'migration.applied' END
     WHERE m.stream = ${literal(target.scope.stream)} AND m.target_schema = ${literal(target.scope.targetSchema)}
       AND m.run_id = ${literal(runId)} AND m.status IN ('completed', 'rolled_back') ORDER BY l.seq`,
  );
  return rows.map((row) => ({
    id: row.id ?? "",
    kind: row.kind === "repeatable" ? "repeatable" : "versioned",
    direction: row.status === "completed" ? "up" : "down",
    description: row.description ?? "",
    durationMs: Number(row.ms),
    statements: Number(row.statements),
    tolerated: JSON.parse(row.tolerated ?? "[]") as string[],
  }));
}

/**
 * Strikes out of a run what its server had confirmed and does not know any more: a crash loses the last commits where
 * synchronous_commit is off, and a standby that takes over may have been behind (manual 30.3, 26.3). It is pending again, and done
 * again.
 * @returns what the user should be told.
 */
export function lostWork(run: TargetRun, { rows }: HistorySnapshot): PlanWarning[] {
  const applied = new Set(rows.filter(isApplied).map(({ id, kind }) => `${kind} ${id}`));
  const gone = run.strikeOut(
    ({ id, kind, direction }) => applied.has(`${kind} ${id}`) === (direction === "up"),
  );
  return gone.map(({ id, direction }) => ({
    message: `${id} was ${direction === "up" ? "applied" : "taken back"} before the connection was lost, and is not any more`,
    hint: "the server lost what it had confirmed: is synchronous_commit off, or was a standby behind when it took over?",
  }));
}

/** The event of a migration that begins. */
export type MigrationStarted = Extract<GodwitEvent, { type: "migration.started" }>;

/**
 * Adds to a run what the history confirms and the run does not know yet, and tells of it.
 * @param last the migration that was begun last, as it was told.
 * @returns the one that counts as begun last now.
 */
export function tellConfirmed(
  io: FleetIo,
  run: TargetRun,
  found: readonly Confirmed[],
  last: MigrationStarted | null,
): MigrationStarted | null {
  for (const { direction, description, ...outcome } of found) {
    if (run.has(outcome, direction)) continue;
    const { id, durationMs, statements } = outcome;
    const subject = { target: run.target.id, id, direction };
    const wasTold = last?.id === id && last.direction === direction;
    const index = (last?.index ?? 0) + (wasTold ? 0 : 1);
    const place = { index, total: Math.max(last?.total ?? 0, index) };
    const again = { retry: false, resumes: false };
    const started = {
      type: "migration.started",
      ...subject,
      ...place,
      description,
      statements,
      ...again,
    } as const;
    if (!wasTold) io.emit(started);
    last = started;
    run.add(outcome, direction);
    io.emit({
      type: "migration.finished",
      ...subject,
      ...place,
      durationMs,
      statements,
      confirmedLater: true,
    });
  }
  return last;
}
