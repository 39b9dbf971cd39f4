import { isGodwitError } from "../core/error.ts";
import { throwIfAborted } from "../core/interrupt.ts";
import { runPlan } from "../execute/run-plan.ts";
import type { HistorySnapshot } from "../history/read.ts";
import type { Graph, GraphNode } from "../migrations/graph.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { parseMigrations } from "../migrations/parse.ts";
import { assertNoProblems } from "../migrations/problems.ts";
import type { Migration, MigrationFile } from "../migrations/types.ts";
import type { Comparison } from "../plan/compare.ts";
import { plannedWithAlone } from "../plan/replan.ts";
import type { Plan } from "../plan/types.ts";
import { fleetGraph } from "./fleet-graph.ts";
import { inspect } from "./inspect.ts";
import { NewHistories } from "./new-histories.ts";
import type { FleetIo } from "./io.ts";
import { LastingTarget } from "./lasting-target.ts";
import { workLeft } from "./turn.ts";
import { assertReachable } from "./pooled-target.ts";
import type { UpOptions } from "./options.ts";
import type { Participant } from "./participants.ts";
import { assertRequirementsMet, firstUnmet, segmentsOf, type AppliedIds, type Segment } from "./segments.ts";
import { assertStorable } from "./storable-files.ts";
import { makeUpPlan } from "./up-plan.ts";

/** Parses everything pending, so that all that is malformed is told in one go. @throws GodwitError MIGRATION_MALFORMED. */
export async function parsePending(
  io: FleetIo,
  comparisons: readonly Comparison[],
): Promise<Map<string, Map<string, Migration>>> {
  const parsed = new Map<string, Map<string, Migration>>();
  const files = comparisons.flatMap(({ pending, repeatables }) => [...pending, ...repeatables]);
  const { migrations, problems } = await parseMigrations(files, io.signal);
  assertNoProblems(problems);
  for (const migration of migrations) {
    const own = parsed.get(migration.stream) ?? new Map<string, Migration>();
    parsed.set(migration.stream, own.set(`${migration.kind} ${migration.id}`, migration));
  }
  return parsed;
}

/** The graph of the configuration, with what pending migrations say they require. */
export function graphOf(
  io: FleetIo,
  files: ReadonlyMap<string, readonly MigrationFile[]>,
  parsed: ReadonlyMap<string, ReadonlyMap<string, Migration>>,
  applied: ReadonlyMap<string, ReadonlySet<string>>,
): Graph {
  return fleetGraph(
    io,
    files,
    (file) => parsed.get(file.stream)?.get(`versioned ${file.id}`)?.requires,
    applied,
  );
}

/**
 * Runs what is pending on every participant; what became of each stands in its `run`.
 * @param onBegin called once everything is read and planned, before anything is run.
 * @throws GodwitError of what is wrong with the files or the plan, before anything is touched; the reason of an interruption.
 */
export async function bringUp(
  io: FleetIo,
  options: UpOptions,
  participants: readonly Participant[],
  files: ReadonlyMap<string, readonly MigrationFile[]>,
  onBegin: () => void,
): Promise<void> {
  const histories = new NewHistories(io, participants);
  let work: Work;
  try {
    work = await planAll(io, options, participants, files, histories);
  } finally {
    await histories.giveUp();
  }
  onBegin();
  await runAll(io, options, participants, work);
}

/** What is to be done, in its order. */
interface Work {
  readonly parsed: ReadonlyMap<string, Map<string, Migration>>;
  readonly appliedBy: AppliedIds;
  readonly graph: Graph;
  readonly busy: readonly { readonly segment: Segment; readonly plan: Plan }[];
}

async function planAll(
  io: FleetIo,
  options: UpOptions,
  participants: readonly Participant[],
  files: ReadonlyMap<string, readonly MigrationFile[]>,
  histories: NewHistories,
): Promise<Work> {
  const parsed = await parsePending(
    io,
    participants.map((participant) => participant.findings.comparison),
  );
  await histories.made();
  for (const one of participants)
    await assertStorable(io, one, [...(parsed.get(one.stream.name)?.values() ?? [])]);
  const appliedBy = new Map(
    participants.map((one) => [one.stream.name, new Set(one.findings.comparison.applied)]),
  );
  const graph = graphOf(io, files, parsed, appliedBy);
  const segments = segmentsOf(graph, participants, options);
  await assertRequirementsMet(io, graph, segments, appliedBy);
  const busy: { segment: Segment; plan: Plan }[] = [];
  for (const segment of segments) {
    const participant = participants.find((one) => one.stream.name === segment.stream)!;
    const own = parsed.get(segment.stream) ?? new Map();
    const plan = await planSegment(io, options, graph, participant, segment, own, participant);
    assertReachable(participant.target, participant.facts, plan.migrations);
    participant.run.warn(io, plan.warnings);
    // Repeatables that are not to be put back are no work, and what has no work takes no lock.
    if (plan.migrations.length > 0) busy.push({ segment, plan });
  }
  if (busy.length > 0) await histories.commit();
  return { parsed, appliedBy, graph, busy };
}

async function runAll(
  io: FleetIo,
  options: UpOptions,
  participants: readonly Participant[],
  { parsed, appliedBy, graph, busy }: Work,
): Promise<void> {
  const lasting = new Map(participants.map((one) => [one, new LastingTarget(io, one.run, one)]));
  try {
    await runSegments(io, options, lasting, { parsed, appliedBy, graph, busy });
  } finally {
    for (const one of lasting.values()) one.close();
  }
  for (const { run } of participants) {
    const { target, error, durationMs } = run.result();
    io.emit({ type: "target.finished", target, applied: run.count, durationMs, error });
  }
}

async function runSegments(
  io: FleetIo,
  options: UpOptions,
  lasting: ReadonlyMap<Participant, LastingTarget>,
  { parsed, appliedBy, graph, busy }: Work,
): Promise<void> {
  const participants = [...lasting.keys()];
  for (const { segment, plan } of busy) {
    throwIfAborted(io.signal);
    const participant = participants.find((one) => one.stream.name === segment.stream)!;
    const { run } = participant;
    if (run.error !== null || run.skipped !== null) continue;
    const skipped = reasonToSkip(graph, participant, segment.nodes, participants, appliedBy);
    // What comes before the one that cannot run still does.
    const nodes = segment.nodes.slice(0, skipped?.at);
    try {
      if (skipped === null || nodes.length > 0) {
        const runnable = { ...segment, nodes, withRepeatables: skipped === null && segment.withRepeatables };
        const known = skipped === null ? plan : null;
        const own = parsed.get(segment.stream) ?? new Map<string, Migration>();
        await runSegment(
          io,
          options,
          graph,
          { participant, lasting: lasting.get(participant)! },
          runnable,
          own,
          known,
        );
      }
      for (const node of nodes) appliedBy.get(segment.stream)!.add(node.id);
      run.skipped = skipped?.reason ?? null;
    } catch (error) {
      if (io.signal?.aborted === true || !isGodwitError(error)) throw error;
      run.error = error;
    }
  }
}

/** What a segment does to its target, as far as `seen` tells. @throws GodwitError as `makeUpPlan`. */
export async function planSegment(
  io: FleetIo,
  options: Pick<UpOptions, "reapply">,
  graph: Graph,
  { files, session, target }: Participant,
  segment: Segment,
  parsed: Map<string, Migration>,
  seen: Pick<Participant, "snapshot" | "findings">,
): Promise<Plan> {
  const request = {
    files,
    snapshot: seen.snapshot,
    graph,
    selection: {},
    reapply: options.reapply ?? false,
    only: new Set(segment.nodes.map((node) => node.id)),
    withRepeatables: segment.withRepeatables,
    parsed,
  };
  return makeUpPlan(io, session, target, request, seen.findings);
}

async function runSegment(
  io: FleetIo,
  options: UpOptions,
  graph: Graph,
  { participant, lasting }: { readonly participant: Participant; readonly lasting: LastingTarget },
  segment: Segment,
  parsed: Map<string, Migration>,
  known: Plan | null,
): Promise<void> {
  const { target, files, run } = participant;
  const look = (snapshot: HistorySnapshot): WorkLeft => workLeft(files, snapshot);
  await lasting.locked(look, async ({ context, snapshot }, { session }) => {
    const here = { ...participant, session };
    const findings = await inspect(io, session, target, files, snapshot);
    const seen = { snapshot, findings };
    // Where nothing was ever applied, then or now, the plan that was made before the lock holds.
    const isSame = participant.snapshot.rows.length === 0 && snapshot.rows.length === 0;
    const plan =
      isSame && known !== null ? known : await planSegment(io, options, graph, here, segment, parsed, seen);
    run.warn(io, plan.warnings);
    await runPlan(context, plan, {
      onDone: (outcome) => run.add(outcome, "up"),
      onUnfinished: (id) => run.stoppedAt(id),
      replan: (planned, ordinal) =>
        plannedWithAlone(planned, parsed.get(`${planned.kind} ${planned.id}`)!.up, ordinal),
    });
  });
}

/**
 * Why a segment cannot run, and which of its nodes is the first that cannot: a stream that goes before it did not get through,
 * or what a node requires did not.
 */
function reasonToSkip(
  graph: Graph,
  participant: Participant,
  nodes: readonly GraphNode[],
  participants: readonly Participant[],
  appliedBy: AppliedIds,
): { readonly at: number; readonly reason: string } | null {
  for (const name of participant.stream.after) {
    const before = participants.find((one) => one.stream.name === name)?.run;
    if (before !== undefined && (before.error !== null || before.skipped !== null)) {
      const became = before.error === null ? "was not completed" : "failed";
      return { at: 0, reason: `stream ${name} goes first and ${became}` };
    }
  }
  // Requirements were proven before anything ran, so one that is unmet by now is in a stream that stopped.
  const unmet = firstUnmet(graph, nodes, appliedBy);
  if (unmet === null) return null;
  const { node, requirement } = unmet;
  return {
    at: nodes.indexOf(node),
    reason: `${node.id} requires ${requirement.stream}/${requirement.id}, which was not applied`,
  };
}
