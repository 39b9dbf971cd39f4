import { GodwitError } from "../core/error.ts";
import { DEFAULT_LOCK } from "./defaults.ts";
import { expand } from "./expand.ts";
import type { KeyReader } from "./key-reader.ts";
import type { ConfigFile } from "./schema.ts";
import type { Config, LockConfig } from "./types.ts";

/** Renewals go out several times within a lease, over a network: a shorter one would be lost to any hiccup. */
const SHORTEST_LEASE_MS = 1000;
const URL_HINT = 'give it the URL of the Redis: redis: "${REDIS_URL}"';

/** The `lock` section with its defaults; what is wrong with it goes to the reader. */
export function resolveLock(entry: NonNullable<ConfigFile["lock"]>, reader: KeyReader): LockConfig {
  const provider = entry.provider ?? DEFAULT_LOCK.provider;
  const redis = entry.redis === undefined || entry.redis.trim() === "" ? null : entry.redis;
  if (provider === "redis" && redis === null) {
    const what = entry.redis === undefined ? "is missing, and lock.provider is redis" : "is empty";
    reader.report(["lock", "redis"], what, URL_HINT);
  }
  const leaseMs = reader.duration(["lock", "lease"], entry.lease, 0);
  if (leaseMs !== null && leaseMs < SHORTEST_LEASE_MS) {
    reader.report(["lock", "lease"], "must be at least 1s", "the default is 15s");
  }
  return { provider, redis, leaseMs: leaseMs ?? DEFAULT_LOCK.leaseMs };
}

/**
 * The URL of the Redis whose lock the configuration asks for, its variables expanded; it may hold a password.
 * @throws GodwitError VARIABLE_UNSET, or CONFIG_INVALID when `lock.redis` is missing or comes out empty.
 */
export function redisUrl(config: Pick<Config, "lock" | "env">): string {
  const url = expand(config.lock.redis ?? "", config.env, "lock.redis").trim();
  if (url !== "") return url;
  throw new GodwitError("CONFIG_INVALID", "lock.redis: is empty, and lock.provider is redis", {
    hint: "set the variable that it names, or take another provider: lock: { provider: auto }",
  });
}
