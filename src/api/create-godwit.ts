import { resolve } from "node:path";
import { monotonicMs } from "../core/clock.ts";
import { loadConfig } from "../config/load.ts";
import { withOverrides } from "../config/overrides.ts";
import type { Config } from "../config/types.ts";
import { formatDuration } from "../core/duration.ts";
import { GodwitError } from "../core/error.ts";
import type { Emit } from "../core/events.ts";
import type { FleetIo } from "../fleet/io.ts";
import { runRecord } from "../fleet/run-record.ts";
import { up } from "../fleet/up.ts";
import { createMigration } from "./create-migration.ts";
import { devStart, devStatus, devStop } from "./dev.ts";
import { startRun } from "./run.ts";
import { asVerbError } from "./verb-error.ts";
import type { Godwit, GodwitOptions, LockingOptions, Run } from "./types.ts";

/** How long a run waits for Godwit's own lock unless told otherwise. */
const LOCK_WAIT_MS = 600_000;

/**
 * Loads the configuration and gives the verbs of Godwit as functions, with the defaults of the command line.
 *
 * ```ts
 * import { createGodwit } from "godwit";
 * const godwit = await createGodwit({ database: process.env.DATABASE_URL });
 * const { total } = await godwit.up();
 * ```
 * @throws GodwitError of the configuration: CONFIG_INVALID, CONFIG_NOT_FOUND, VARIABLE_UNSET, USAGE.
 */
export async function createGodwit(options: GodwitOptions = {}): Promise<Godwit> {
  const config = await configOf(options);

  /** Runs a verb with its limits. */
  const verb = <T>(
    name: string,
    given: LockingOptions | undefined,
    work: (io: FleetIo) => Promise<T>,
  ): Run<T> =>
    startRun(async (emit) => {
      const io = ioOf(config, name, given ?? {}, emit);
      const started = monotonicMs();
      emit({ type: "run.started", runId: io.run.runId, command: name });
      const finish = (ok: boolean, applied: number): void =>
        emit({
          type: "run.finished",
          runId: io.run.runId,
          ok,
          applied,
          durationMs: monotonicMs() - started,
        });
      try {
        const result = await work(io);
        finish(true, totalOf(result));
        return result;
      } catch (thrown) {
        const error = asVerbError(thrown);
        finish(false, totalOf(error instanceof GodwitError ? error.result : undefined));
        throw error;
      }
    });

  return {
    config,
    up: (o = {}) => verb("up", o, (io) => up(io, o)),
    down: (o = {}) => verb("down", o, async (io) => (await import("../fleet/down.ts")).down(io, o)),
    redo: (o = {}) => verb("redo", o, async (io) => (await import("../fleet/redo.ts")).redo(io, o)),
    plan: (o = {}) => verb("plan", o, async (io) => (await import("../fleet/plan.ts")).plan(io, o)),
    status: (o = {}) => verb("status", o, async (io) => (await import("../fleet/status.ts")).status(io, o)),
    history: (o = {}) =>
      verb("history", o, async (io) => (await import("../fleet/history.ts")).history(io, o)),
    graph: (o = {}) => verb("graph", o, async (io) => (await import("../fleet/graph.ts")).graph(io, o)),
    verify: (o = {}) => verb("verify", o, async (io) => (await import("../fleet/verify.ts")).verify(io, o)),
    baseline: (o) =>
      verb("baseline", o, async (io) => (await import("../fleet/baseline.ts")).baseline(io, o)),
    repair: (o = {}) => verb("repair", o, async (io) => (await import("../fleet/repair.ts")).repair(io, o)),
    wait: (o = {}) => {
      // The limit of a wait is not a failure of the command but its answer, so the verb measures it itself.
      const { timeoutMs, ...rest } = o;
      return verb("wait", rest, async (io) =>
        (await import("../fleet/wait.ts")).wait(io, o, timeoutMs ?? Infinity),
      );
    },
    lockStatus: (o = {}) =>
      verb("lock status", o, async (io) => (await import("../fleet/lock-status.ts")).lockStatus(io, o)),
    lockRelease: (o = {}) =>
      verb("lock release", o, async (io) => (await import("../fleet/lock-release.ts")).lockRelease(io, o)),
    lockBlockers: (o = {}) =>
      verb("lock blockers", o, async (io) => (await import("../fleet/lock-blockers.ts")).lockBlockers(io, o)),
    create: (o) => createMigration(config, o),
    devStart: (o = {}) => startRun((emit) => devStart(config, emit, o.signal)),
    devStop: (o = {}) => devStop(config, o.signal),
    devStatus: () => devStatus(config),
  };
}

async function configOf(options: GodwitOptions): Promise<Config> {
  const cwd = resolve(options.cwd ?? process.cwd());
  const loaded =
    typeof options.config === "object"
      ? options.config
      : await loadConfig({
          cwd,
          env: options.env ?? process.env,
          ...(options.config === undefined ? {} : { file: options.config }),
        });
  return withOverrides(loaded, {
    cwd,
    database: options.database,
    directUrl: options.directUrl,
    migrations: options.migrations,
    embedded: options.embedded,
    lockTimeoutMs: options.lockTimeoutMs,
    statementTimeoutMs: options.statementTimeoutMs,
    maxBlockingMs: options.maxBlockingMs,
    patientTimeoutMs: options.patientTimeoutMs,
    cancelBlockersAfterMs: options.cancelBlockersAfterMs,
    terminateBlockersAfterMs: options.terminateBlockersAfterMs,
    historySchema: options.historySchema,
    stream: options.stream,
  });
}

function ioOf(config: Config, command: string, options: LockingOptions, emit: Emit): FleetIo {
  return {
    config,
    emit,
    signal: limited(options.signal, options.timeoutMs),
    connectWaitMs: options.connectWaitMs ?? 0,
    lockWaitMs: options.lockWaitMs ?? LOCK_WAIT_MS,
    ...(options.reconnectWaitMs === undefined ? {} : { reconnectWaitMs: options.reconnectWaitMs }),
    run: runRecord(command, config.env, options.gitSha),
  };
}

/** The caller's signal, or the end of the time, whichever is first. */
function limited(signal: AbortSignal | undefined, timeoutMs: number | undefined): AbortSignal | undefined {
  if (timeoutMs === undefined) return signal;
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(
      new GodwitError("TIMEOUT", `not finished within --timeout ${formatDuration(timeoutMs)}`, {
        hint: "what was committed is in the history; go on with a longer limit: godwit up --timeout 1h",
      }),
    );
  }, timeoutMs);
  // The limit alone must not keep a process alive that is done.
  timer.unref();
  return signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
}

function totalOf(result: unknown): number {
  const total = typeof result === "object" && result !== null && "total" in result ? result.total : 0;
  return typeof total === "number" ? total : 0;
}
