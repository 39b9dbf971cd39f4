import { monotonicMs } from "../core/clock.ts";
import { databaseParameters, directParameters } from "../config/database.ts";
import type { DatabaseParameters, StreamConfig } from "../config/types.ts";
import { abortReason, sleep } from "../core/interrupt.ts";
import { isGodwitError } from "../core/error.ts";
import type { HistoryScope } from "../history/read.ts";
import { isRetryableConnectError } from "../postgres/connect.ts";
import { resolveConnection } from "../postgres/conninfo/resolve.ts";
import { describeConnection } from "../postgres/redact.ts";
import { openSession, type Session } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";
import { searchPathSql } from "../postgres/work-session.ts";
import { checksumOf } from "../sql/checksum.ts";
import type { FleetIo } from "./io.ts";

/** One place that a stream is applied to. */
export interface Target {
  /** `<stream>` or `<stream>/<tenant>`. */
  readonly id: string;
  readonly stream: StreamConfig;
  readonly scope: HistoryScope;
  readonly settings: ConnectionSettings;
  /** Past the pooler that `settings` goes through; null: nothing says how, or there is none. */
  readonly direct: ConnectionSettings | null;
  /** Without secrets. */
  readonly label: string;
  /** Ready for SET; null: the server's default. */
  readonly searchPath: string | null;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/**
 * Finds out how to reach the target of a stream. Where `direct_url` is all that says it, that is the way.
 * Starts the embedded server if that is what was asked for.
 * @throws GodwitError of the configuration and of connection strings; EMBEDDED_UNAVAILABLE.
 */
export async function resolveTarget(io: FleetIo, stream: StreamConfig): Promise<Target> {
  const { config } = io;
  const past = directParameters(stream.directUrl, config);
  const resolve = async (where: DatabaseParameters): Promise<ConnectionSettings> => {
    const input = "embedded" in where ? await startEmbedded(io, stream) : where;
    const settings = await resolveConnection(input, config.env);
    for (const message of settings.warnings ?? [])
      io.emit({ type: "warning", target: stream.name, message, hint: null });
    return settings;
  };
  const through = past === null ? databaseParameters(stream.database, config) : pooledParameters(stream, io);
  const settings = await resolve(through ?? past!);
  const direct = through === null || past === null ? null : await resolve(past);
  return {
    id: stream.name,
    stream,
    scope: { schema: config.historySchema, stream: stream.name, targetSchema: "" },
    settings,
    direct,
    label: describeConnection(settings),
    searchPath: stream.searchPath === null ? null : searchPathSql(stream.searchPath),
  };
}

/**
 * Opens a session on a target, trying again for as long as `connectWaitMs` allows while that has a chance; closes it after `body`.
 * @throws GodwitError DATABASE_UNREACHABLE; what `body` throws; the signal's reason when aborted.
 */
export async function withTargetSession<T>(
  io: FleetIo,
  target: Target,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openPatiently(io, target);
  try {
    return await body(session);
  } catch (error) {
    // One that says so itself may carry what was done before.
    if (io.signal?.aborted !== true || isGodwitError(error, abortReason(io.signal).code)) throw error;
    throw abortReason(io.signal);
  } finally {
    session.close();
  }
}

async function openPatiently(io: FleetIo, target: Target): Promise<Session> {
  const started = monotonicMs();
  let pause = FIRST_PAUSE_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await openSession(target.settings, {
        applicationName: target.settings.applicationName ?? "godwit",
        signal: io.signal,
        // The first checksum loads node:crypto, which takes as long as the server needs for a new session.
        whileWaiting: () => void checksumOf(""),
      });
    } catch (error) {
      const elapsedMs = monotonicMs() - started;
      if (elapsedMs >= io.connectWaitMs || !isRetryableConnectError(error)) throw error;
      const reason = isGodwitError(error) ? error.message : String(error);
      io.emit({ type: "connection.waiting", target: target.id, reason, attempt, elapsedMs });
      await sleep(Math.min(pause, Math.max(1, io.connectWaitMs - elapsedMs)), io.signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}

/** What `database` says beside a `direct_url`; null: nothing. */
function pooledParameters({ database }: StreamConfig, { config }: FleetIo): DatabaseParameters | null {
  try {
    return databaseParameters(database, config);
  } catch (error) {
    if (isGodwitError(error, "DATABASE_NOT_CONFIGURED")) return null;
    throw error;
  }
}

async function startEmbedded(
  io: FleetIo,
  stream: StreamConfig,
): Promise<{ parameters: Readonly<Record<string, string>> }> {
  const { ensureEmbeddedServer } = await import("../postgres/embedded/ensure.ts");
  const server = await ensureEmbeddedServer({
    directory: io.config.root,
    env: io.config.env,
    signal: io.signal,
  });
  io.emit({
    type: "embedded.started",
    target: stream.name,
    directory: server.directory,
    reused: server.reused,
    durationMs: server.startedMs,
  });
  return { parameters: server.parameters };
}
