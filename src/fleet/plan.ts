import { readSnapshot } from "../history/read.ts";
import type { MigrationFile } from "../migrations/types.ts";
import type { Plan } from "../plan/types.ts";
import { downSelection, makeDownPlan } from "./down-plan.ts";
import { listed } from "./down.ts";
import type { FleetIo } from "./io.ts";
import type { PlanOptions } from "./options.ts";
import type { PlanResult } from "./results.ts";
import { selectOneStream, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";
import { graphOf, parsePending, withParticipants } from "./up.ts";
import { makeUpPlan } from "./up-plan.ts";

/**
 * What `up` or `down` would do now: pure data, in order, per target. Touches nothing; a role that may only read is enough.
 * @throws GodwitError as the verb that is planned, before it would run anything.
 */
export async function plan(io: FleetIo, options: PlanOptions): Promise<PlanResult> {
  const shown = (one: Plan, database: string): PlanResult["plans"][number] => ({
    ...one,
    database,
    historySchema: io.config.historySchema,
  });
  if (options.direction === "down") {
    const selection = downSelection(options);
    const stream = selectOneStream(io.config, options.streams, "plan --down");
    const target = await resolveTarget(io, stream);
    return withTargetSession(io, target, async (session) => {
      const snapshot = await readSnapshot(session, target.scope);
      const { plan: made } = await makeDownPlan(io, session, target, listed(io, stream), snapshot, selection);
      return { plans: [shown(made, target.label)] };
    });
  }
  const streams =
    options.to === undefined
      ? selectStreams(io.config, options.streams)
      : [selectOneStream(io.config, options.streams, "--to")];
  const files = new Map<string, readonly MigrationFile[]>();
  return withParticipants(io, streams, files, [], async (participants) => {
    const parsed = await parsePending(
      io,
      participants.map((participant) => participant.findings.comparison),
    );
    const graph = graphOf(
      io,
      files,
      parsed,
      new Map(participants.map((one) => [one.stream.name, one.findings.comparison.applied])),
    );
    const plans: PlanResult["plans"][number][] = [];
    for (const { stream, target, session, snapshot, findings } of participants) {
      const request = {
        files: files.get(stream.name)!,
        snapshot,
        graph,
        selection: { to: options.to, step: options.steps },
        reapply: options.reapply ?? false,
        only: null,
        withRepeatables: options.to === undefined && options.steps === undefined,
        parsed: parsed.get(stream.name) ?? new Map(),
      };
      plans.push(shown(await makeUpPlan(io, session, target, request, findings), target.label));
    }
    return { plans };
  });
}
