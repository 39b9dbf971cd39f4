import { withObjectLocks } from "../execute/locks/plan-locks.ts";
import type { MigrationFile } from "../migrations/types.ts";
import type { Plan } from "../plan/types.ts";
import { downStreams, downTurns, prepareDown } from "./down-order.ts";
import { downSelection } from "./down-plan.ts";
import type { FleetIo } from "./io.ts";
import type { PlanOptions } from "./options.ts";
import type { PlanResult } from "./results.ts";
import { assertStorable } from "./storable-files.ts";
import { assertRequirementsMet, segmentsOf } from "./segments.ts";
import { assertFolders, selectOneStream, selectStreams } from "./streams.ts";
import { graphOf, parsePending, planSegment } from "./bring-up.ts";
import { withParticipants } from "./participants.ts";
import { assertReachable } from "./pooled-target.ts";

/**
 * What `up` or `down` would do now: pure data, in the order in which it would be done. A target has one plan, or several where
 * streams require each other back and forth. Touches nothing; a role that may only read is enough.
 * @throws GodwitError as the verb that is planned, before it would run anything.
 */
export async function plan(io: FleetIo, options: PlanOptions): Promise<PlanResult> {
  const shown = (one: Plan, database: string): PlanResult["plans"][number] => ({
    ...one,
    database,
    historySchema: io.config.historySchema,
  });
  if (options.direction === "down") {
    const streams = downStreams(io, options, "plan --down");
    const prepared = await prepareDown(io, streams, downSelection(options), { withLocks: true });
    const turns = await downTurns(io, prepared);
    for (const { prepared: one, migrations } of turns) assertReachable(one.target, one.facts, migrations);
    const idle = prepared
      .filter((one) => turns.every((turn) => turn.prepared !== one))
      .map((one) => ({ prepared: one, migrations: [] }));
    const plans = [...turns, ...idle].map(({ prepared: { planned, target }, migrations }) =>
      shown({ ...planned.plan, migrations }, target.label),
    );
    return { plans };
  }
  const streams =
    options.to === undefined
      ? selectStreams(io.config, options.streams)
      : [selectOneStream(io.config, options.streams, "--to")];
  assertFolders(io, streams);
  const files = new Map<string, readonly MigrationFile[]>();
  return withParticipants(io, streams, files, [], async (participants) => {
    const parsed = await parsePending(
      io,
      participants.map((participant) => participant.findings.comparison),
    );
    for (const one of participants)
      await assertStorable(io, one, [...(parsed.get(one.stream.name)?.values() ?? [])]);
    const applied = new Map(
      participants.map((one) => [one.stream.name, new Set(one.findings.comparison.applied)]),
    );
    const graph = graphOf(io, files, parsed, applied);
    const segments = segmentsOf(graph, participants, options);
    await assertRequirementsMet(io, graph, segments, applied);
    // A stream with nothing to do has a plan too: an empty one.
    const idle = participants
      .filter(({ stream }) => segments.every((segment) => segment.stream !== stream.name))
      .map(({ stream }) => ({ stream: stream.name, nodes: [], withRepeatables: false }));
    const plans: PlanResult["plans"][number][] = [];
    for (const segment of [...segments, ...idle]) {
      const participant = participants.find((one) => one.stream.name === segment.stream)!;
      const { session, target, snapshot, findings } = participant;
      const isFirst = plans.every((one) => one.target !== target.id);
      const own = parsed.get(segment.stream) ?? new Map();
      const seen = { snapshot, findings: { ...findings, warnings: isFirst ? findings.warnings : [] } };
      const made = await planSegment(io, options, graph, participant, segment, own, seen);
      // A plan that could not run is none.
      assertReachable(target, participant.facts, made.migrations);
      plans.push(shown(await withObjectLocks(session, target.searchPath, made), target.label));
    }
    return { plans };
  });
}
