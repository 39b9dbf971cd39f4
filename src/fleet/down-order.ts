import type { StreamConfig } from "../config/types.ts";
import { GodwitError } from "../core/error.ts";
import { withObjectLocks } from "../execute/locks/plan-locks.ts";
import { readDetails, readOpenSteps, readSnapshot } from "../history/read.ts";
import { isApplied } from "../plan/compare.ts";
import { isHalfUp } from "../plan/half-up.ts";
import type { DownSelection } from "../plan/plan-down.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import { makeDownPlan, type DownPlan } from "./down-plan.ts";
import type { FleetIo } from "./io.ts";
import type { DownOptions } from "./options.ts";
import { listed, selectOneStream, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";

/** What would be taken back on one target, read and checked. */
export interface PreparedDown {
  readonly stream: StreamConfig;
  readonly target: Target;
  readonly facts: ServerFacts;
  readonly planned: DownPlan;
}

/** Neighbours in the order of taking back that belong to one stream. */
export interface DownTurn {
  readonly prepared: PreparedDown;
  readonly migrations: PlannedMigration[];
}

/** The streams that `down` acts on: with `all` those that go after others first. @throws GodwitError USAGE, STREAM_UNKNOWN. */
export function downStreams(io: FleetIo, options: DownOptions, verb: string): readonly StreamConfig[] {
  return options.all === true
    ? selectStreams(io.config, options.streams).toReversed()
    : [selectOneStream(io.config, options.streams, verb)];
}

/**
 * Plans the way down of every stream, so that what is in the way on any of them is told before anything runs.
 * @param options.withLocks whether the plans are to be shown with what their statements lock.
 */
export async function prepareDown(
  io: FleetIo,
  streams: readonly StreamConfig[],
  selection: DownSelection,
  { withLocks = false }: { readonly withLocks?: boolean } = {},
): Promise<PreparedDown[]> {
  const prepared: PreparedDown[] = [];
  for (const stream of streams) {
    const files = listed(io, stream);
    const target = await resolveTarget(io, stream);
    prepared.push(
      await withTargetSession(io, target, async (session) => {
        const { facts, ...snapshot } = await readSnapshot(session, target.scope);
        const made = await makeDownPlan(io, session, target, files, snapshot, selection);
        const plan = withLocks ? await withObjectLocks(session, target.searchPath, made.plan) : made.plan;
        return { stream, target, facts, planned: { ...made, plan } };
      }),
    );
  }
  return prepared;
}

/**
 * The order in which streams take turns so that nothing goes before what requires it, in whichever stream that is.
 * @throws GodwitError GRAPH_UNMET_REQUIREMENT if what stays requires what would be taken back.
 */
export async function downTurns(io: FleetIo, prepared: readonly PreparedDown[]): Promise<DownTurn[]> {
  const left = prepared.map((one) => ({ one, queue: [...one.planned.plan.migrations] }));
  const requiring = left.some(({ queue }) => queue.length > 0)
    ? await readRequirements(io)
    : new Map<string, Map<string, Hold>>();
  const turns: DownTurn[] = [];
  for (;;) {
    let blocked: { readonly required: string; readonly by: string; readonly hold: Hold } | null = null;
    let moved = false;
    for (const { one, queue } of left) {
      const migrations: PlannedMigration[] = [];
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        const required = `${one.stream.name}/${next.id}`;
        const [by] = requiring.get(required) ?? [];
        if (by !== undefined) {
          blocked = { required, by: by[0], hold: by[1] };
          break;
        }
        for (const others of requiring.values()) others.delete(required);
        migrations.push(next);
        queue.shift();
      }
      if (migrations.length > 0) turns.push({ prepared: one, migrations });
      moved ||= migrations.length > 0;
    }
    if (blocked === null) return turns;
    if (!moved) throw stillRequired(blocked);
  }
}

/** How far what requires another one has come. */
type Hold = "applied" | "half applied";

/** For each `<stream>/<id>` the migrations of other streams that are applied, or half applied, and require it, as far as they say so by name. */
async function readRequirements(io: FleetIo): Promise<Map<string, Map<string, Hold>>> {
  const requiring = new Map<string, Map<string, Hold>>();
  if (io.config.streams.length < 2) return requiring;
  for (const stream of io.config.streams) {
    const target = await resolveTarget(io, stream);
    const rows = await withTargetSession(io, target, async (session) => {
      const { meta } = await readSnapshot(session, target.scope);
      if (meta === null) return [];
      const ledger = await readOpenSteps(session, target.scope);
      const details = await readDetails(session, target.scope);
      return details.filter((row) => isApplied(row) || isHalfUp(row, ledger));
    });
    for (const row of rows) {
      for (const required of row.requires.filter((name) => name.includes("/"))) {
        const holds = requiring.get(required) ?? new Map<string, Hold>();
        requiring.set(
          required,
          holds.set(`${stream.name}/${row.id}`, isApplied(row) ? "applied" : "half applied"),
        );
      }
    }
  }
  return requiring;
}

function stillRequired({
  required,
  by,
  hold,
}: {
  readonly required: string;
  readonly by: string;
  readonly hold: Hold;
}): GodwitError {
  const stream = by.slice(0, by.indexOf("/"));
  return new GodwitError("GRAPH_UNMET_REQUIREMENT", `${by} is ${hold} and requires ${required}`, {
    hint:
      hold === "applied"
        ? `take it back first: godwit down --stream ${stream}`
        : `finish it, then take it back: godwit up --stream ${stream}`,
  });
}
