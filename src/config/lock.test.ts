import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { redisUrl } from "./lock.ts";
import type { LockConfig } from "./types.ts";

const SECRET_URL = "redis://:hunter2@cache:6379/3";
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-lock-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function lock(text: string, env: Record<string, string> = {}): Promise<LockConfig> {
  writeFileSync(join(folder, "godwit.config.yaml"), `lock: ${text}\n`);
  const config = await loadConfig({ cwd: folder, env });
  return config.lock;
}

describe("lock", () => {
  it.each(["auto", "advisory", "lease"] as const)("takes %s without a Redis", async (provider) => {
    expect(await lock(`{ provider: ${provider} }`)).toEqual({ provider, redis: null, leaseMs: 15_000 });
  });

  it("reads the length of a lease, from a variable too", async () => {
    expect(await lock("{ lease: 1s }")).toMatchObject({ leaseMs: 1000 });
    expect(await lock('{ lease: "${LEASE:-15s}" }', { LEASE: "1min" })).toMatchObject({ leaseMs: 60_000 });
  });

  it.each([
    ["999ms", "lock.lease: must be at least 1s"],
    ["0s", "lock.lease: must be at least 1s"],
    ['"0"', "lock.lease: must be at least 1s"],
    ["30d", "lock.lease: is longer than PostgreSQL can count"],
    ["soon", 'lock.lease: "soon" is not a duration'],
    ['""', "lock.lease: is empty"],
    ["15", "lock.lease: is a number without a unit"],
    ['"${NONE:-}"', "lock.lease: is empty"],
  ])("refuses %s for one", async (lease, message) => {
    await expect(lock(`{ lease: ${lease} }`)).rejects.toMatchObject({ code: "CONFIG_INVALID", message });
  });

  it("keeps a Redis for later: its variables matter only to a run that takes its lock there", async () => {
    const kept = { provider: "auto", redis: "${REDIS_URL}", leaseMs: 15_000 };
    expect(await lock('{ redis: "${REDIS_URL}" }')).toEqual(kept);
    expect(await lock('{ provider: redis, redis: "${REDIS_URL}" }')).toEqual({ ...kept, provider: "redis" });
    expect(await lock('{ redis: "" }')).toMatchObject({ redis: null });
  });

  it.each([
    ["{ provider: redis }", "lock.redis: is missing, and lock.provider is redis"],
    ['{ provider: redis, redis: "" }', "lock.redis: is empty"],
    ['{ provider: redis, redis: " " }', "lock.redis: is empty"],
  ])("needs a Redis where it is the provider: %s", async (text, message) => {
    await expect(lock(text)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(message),
      hint: expect.stringContaining('redis: "${REDIS_URL}"'),
    });
  });
});

describe("redisUrl", () => {
  const url = (redis: string | null, env: Record<string, string> = {}): string =>
    redisUrl({ lock: { provider: "redis", redis, leaseMs: 15_000 }, env });

  it("expands the variables of lock.redis", () => {
    expect(url("${REDIS_URL}", { REDIS_URL: SECRET_URL })).toBe(SECRET_URL);
    expect(url("redis://:${REDIS_PASSWORD}@cache", { REDIS_PASSWORD: "x" })).toBe("redis://:x@cache");
  });

  it("names the key, and the variable that is not set", () => {
    expect(() => url("${REDIS_URL}")).toThrow("lock.redis uses ${REDIS_URL}, and REDIS_URL is not set");
    expect(() => url("${REDIS_URL:-}")).toThrow("lock.redis: is empty, and lock.provider is redis");
    expect(() => url(null)).toThrow("lock.redis: is empty, and lock.provider is redis");
  });
});
