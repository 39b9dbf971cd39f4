import { hostname } from "node:os";
import { redisUrl } from "../config/lock.ts";
import type { LockGate } from "../lock/gate.ts";
import { openRedisGate } from "../lock/redis-gate.ts";
import { redisKey } from "../lock/redis-key.ts";
import type { FleetIo } from "./io.ts";
import type { Target } from "./target.ts";

/** How long Redis may take to answer at the start where nothing says how long to wait, in milliseconds. */
const CONNECT_WAIT_MS = 5000;

/**
 * Opens the gate that Redis keeps for a target. Its key is named after the service where the environment names one.
 * @throws GodwitError as `redisUrl` and `openRedisGate`.
 */
export async function openTargetGate(io: FleetIo, target: Target): Promise<LockGate> {
  const { config, run, signal } = io;
  const service = config.env["SERVICE_NAME"];
  // One service may have several streams, which do not keep each other waiting.
  const isOnly = service !== undefined && service !== "" && config.streams.length === 1;
  const name = isOnly ? service : target.stream.name;
  const tenant = target.scope.targetSchema === "" ? null : target.scope.targetSchema;
  return openRedisGate({
    url: redisUrl(config),
    key: redisKey(name, tenant),
    value: `run ${run.runId} on ${run.host ?? hostname()}`,
    ttlMs: config.lock.leaseMs,
    connectWaitMs: Math.max(io.connectWaitMs, CONNECT_WAIT_MS),
    ...(signal === undefined ? {} : { signal }),
  });
}
