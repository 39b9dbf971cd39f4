import type { Config } from "../config/types.ts";
import type { Emit } from "../core/events.ts";
import { redactConnectionString } from "../postgres/redact.ts";
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
  const status = await embeddedStatus({ directory: config.root, env: config.env });
  return {
    running: status.state === "running",
    pid: status.pid,
    directory: status.directory,
    url: status.conninfo === null ? null : redactConnectionString(status.conninfo),
  };
}
