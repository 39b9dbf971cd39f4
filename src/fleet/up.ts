import type { StreamConfig } from "../config/types.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { throwIfAborted } from "../core/interrupt.ts";
import { assertOwnSession } from "../execute/locked-target.ts";
import { runPlan } from "../execute/run-plan.ts";
import { readSnapshot, type HistorySnapshot } from "../history/read.ts";
import type { Graph, GraphNode } from "../migrations/graph.ts";
import { parseMigrations } from "../migrations/parse.ts";
import { assertNoProblems } from "../migrations/problems.ts";
import type { Migration, MigrationFile } from "../migrations/types.ts";
import { compareWithHistory, type Comparison } from "../plan/compare.ts";
import { plannedWithAlone } from "../plan/replan.ts";
import type { Plan } from "../plan/types.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { fleetGraph } from "./fleet-graph.ts";
import type { FleetIo } from "./io.ts";
import type { UpOptions } from "./options.ts";
import type { RunResult } from "./results.ts";
import { finishRun, keepingResult } from "./run-outcome.ts";
import { assertRequirementsMet, firstUnmet, segmentsOf, type AppliedIds, type Segment } from "./segments.ts";
import { assertFolders, filesOf, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";
import { lockTarget, TargetRun } from "./target-run.ts";
import { inspect, makeUpPlan, type UpFindings } from "./up-plan.ts";

/** A stream that takes part, with what was read of it. */
export interface Participant {
  readonly stream: StreamConfig;
  readonly target: Target;
  readonly files: readonly MigrationFile[];
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly snapshot: HistorySnapshot;
  readonly findings: UpFindings;
  readonly run: TargetRun;
}

/**
 * Brings every selected stream up. Everything is read and checked before anything is touched: files, edits of what is applied,
 * the graph. Then migrations run in the order of the graph, across streams where they require each other; a stream that
 * fails stops what depends on it, and the rest goes on.
 * @throws GodwitError with the RunResult as `result` once something was run; see docs/errors for the codes.
 */
export async function up(io: FleetIo, options: UpOptions): Promise<RunResult> {
  const started = performance.now();
  const streams = selectStreams(io.config, options.streams);
  assertSelection(options, streams);
  assertFolders(io, streams);
  const files = new Map<string, readonly MigrationFile[]>();
  return withParticipants(io, streams, files, [], async (participants) => {
    const runs = participants.map((participant) => participant.run);
    // Before any of them runs, though it is asked again where the lock is taken.
    for (const { findings, facts } of participants) {
      if (findings.comparison.pending.length > 0) assertOwnSession(facts);
    }
    if (participants.some((participant) => hasWork(participant.findings.comparison))) {
      await keepingResult(io, runs, started, () => bringUp(io, options, participants, files));
    }
    return finishRun(io, runs, performance.now() - started);
  });
}

/**
 * Opens a session for each stream and reads its target and its files, these while the server works on its answer;
 * sessions close when `body` is over.
 * @param files is filled with the files of every stream.
 */
export async function withParticipants<T>(
  io: FleetIo,
  streams: readonly StreamConfig[],
  files: Map<string, readonly MigrationFile[]>,
  opened: readonly Participant[],
  body: (participants: readonly Participant[]) => Promise<T>,
): Promise<T> {
  const stream = streams[opened.length];
  if (stream === undefined) return body(opened);
  const target = await resolveTarget(io, stream);
  return withTargetSession(io, target, async (session) => {
    const reading = readSnapshot(session, target.scope);
    reading.catch(() => undefined);
    const own = filesOf(io, stream);
    files.set(stream.name, own);
    const { facts, ...snapshot } = await reading;
    const findings = await inspect(io, session, target, own, snapshot);
    const run = new TargetRun(target);
    const { pending, repeatables } = findings.comparison;
    io.emit({
      type: "target.started",
      target: target.id,
      database: target.label,
      server: `PostgreSQL ${facts.versionText}`,
      pending: pending.length + repeatables.length,
    });
    run.warn(io, findings.warnings);
    return withParticipants(
      io,
      streams,
      files,
      [...opened, { stream, target, files: own, session, facts, snapshot, findings, run }],
      body,
    );
  });
}

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

async function bringUp(
  io: FleetIo,
  options: UpOptions,
  participants: readonly Participant[],
  files: ReadonlyMap<string, readonly MigrationFile[]>,
): Promise<void> {
  const parsed = await parsePending(
    io,
    participants.map((participant) => participant.findings.comparison),
  );
  const appliedBy = new Map(
    participants.map((one) => [one.stream.name, new Set(one.findings.comparison.applied)]),
  );
  const graph = graphOf(io, files, parsed, appliedBy);
  const segments = segmentsOf(graph, participants, options);
  await assertRequirementsMet(io, graph, segments, appliedBy);
  const busy: Segment[] = [];
  for (const segment of segments) {
    const participant = participants.find((one) => one.stream.name === segment.stream)!;
    const own = parsed.get(segment.stream) ?? new Map();
    const plan = await planSegment(io, options, graph, participant, segment, own, participant);
    participant.run.warn(io, plan.warnings);
    // Repeatables that are not to be put back are no work, and what has no work takes no lock.
    if (plan.migrations.length > 0) busy.push(segment);
  }
  for (const segment of busy) {
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
        await runSegment(io, options, graph, participant, runnable, parsed.get(segment.stream) ?? new Map());
      }
      for (const node of nodes) appliedBy.get(segment.stream)!.add(node.id);
      run.skipped = skipped?.reason ?? null;
    } catch (error) {
      if (io.signal?.aborted === true || !isGodwitError(error)) throw error;
      run.error = error;
    }
  }
  for (const { run } of participants) {
    const { target, error, durationMs } = run.result();
    io.emit({ type: "target.finished", target, applied: run.count, durationMs, error });
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
  participant: Participant,
  segment: Segment,
  parsed: Map<string, Migration>,
): Promise<void> {
  const { target, session, facts, files, run } = participant;
  const needed = (snapshot: HistorySnapshot): boolean => hasWork(compareWithHistory(files, snapshot.rows));
  await lockTarget(run.following(io), target, { session, facts }, needed, async ({ context, snapshot }) => {
    const findings = await inspect(io, session, target, files, snapshot);
    const seen = { snapshot, findings };
    const plan = await planSegment(io, options, graph, participant, segment, parsed, seen);
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

function hasWork({ pending, repeatables }: Comparison): boolean {
  return pending.length > 0 || repeatables.length > 0;
}

function assertSelection(options: UpOptions, streams: readonly StreamConfig[]): void {
  if (options.to === undefined || streams.length <= 1) return;
  throw new GodwitError(
    "USAGE",
    `--to ${options.to} is an id of one stream, and there are ${streams.length}`,
    {
      hint: `name the stream: --stream ${streams.map((stream) => stream.name).join(" or --stream ")}`,
    },
  );
}
