import type { Config } from "../config/types.ts";
import type { Emit } from "../core/events.ts";
import type { DevStatus } from "./types.ts";

/** Starts the project's own PostgreSQL, or finds it running. @throws GodwitError EMBEDDED_UNAVAILABLE. */
export async function devStart(config: Config, emit: Emit, signal?: AbortSignal): Promise<DevStatus> {
  const { ensureEmbeddedServer } = await import("../postgres/embedded/ensure.ts");
  const server = await ensureEmbeddedServer({ directory: config.root, env: config.env, signal });
  emit({
    type: "embedded.started",
    target: "dev",
    directory: server.directory,
    reused: server.reused,
    durationMs: server.startedMs,
  });
  return devStatus(config);
}

/** Stops it; its data stays. */
export async function devStop(
  config: Config,
  signal?: AbortSignal,
): Promise<{ readonly stopped: boolean; readonly pid: number | null }> {
  const { stopEmbeddedServer } = await import("../postgres/embedded/stop.ts");
  return stopEmbeddedServer({ directory: config.root, env: config.env, signal });
}

/** Tells whether it runs; starts nothing. */
export async function devStatus(config: Config): Promise<DevStatus> {
  const { embeddedStatus } = await import("../postgres/embedded/status.ts");
  const { passwordFileOf } = await import("../postgres/embedded/instance.ts");
  const status = await embeddedStatus({ directory: config.root, env: config.env });
  return {
    running: status.state === "running",
    pid: status.pid,
    directory: status.directory,
    url:
      status.parameters === null
        ? null
        : passwordlessUrl(status.parameters, passwordFileOf(status.directory)),
  };
}

/** A URL that libpq and Godwit can use: the password is in a file that only its owner can read. */
function passwordlessUrl(
  server: Readonly<Record<"host" | "port" | "user" | "dbname", string>>,
  passfile: string,
): string {
  return `postgresql://${server.user}@${server.host}:${server.port}/${server.dbname}?passfile=${encodeURIComponent(passfile)}`;
}
