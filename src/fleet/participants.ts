import type { StreamConfig } from "../config/types.ts";
import { readSnapshot, type HistorySnapshot } from "../history/read.ts";
import type { MigrationFile } from "../migrations/types.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { inspect, type UpFindings } from "./inspect.ts";
import type { FleetIo } from "./io.ts";
import { filesOf } from "./streams.ts";
import { resolveTarget, withTargetSession, type Target } from "./target.ts";
import { TargetRun } from "./target-run.ts";

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
