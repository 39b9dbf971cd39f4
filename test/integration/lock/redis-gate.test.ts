import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { isGodwitError } from "../../../src/core/error.ts";
import type { LockGate } from "../../../src/lock/gate.ts";
import { openRedisGate, type RedisGateOptions } from "../../../src/lock/redis-gate.ts";
import { redisKey } from "../../../src/lock/redis-key.ts";
import { haveRedis, startRedis, type RedisServer } from "../../support/redis.ts";

const present = haveRedis();
const KEY = redisKey("shop", null);
/** Long enough not to run out on a busy machine. */
const LONG_MS = 60_000;

const PASSWORD = "s3 cret/@:é";
let opened: LockGate[] = [];
afterEach(async () => {
  const gates = opened;
  opened = [];
  await Promise.all(gates.map((gate) => gate.close()));
});

async function open(
  redis: RedisServer,
  value: string,
  more: Partial<RedisGateOptions> = {},
): Promise<LockGate> {
  const gate = await openRedisGate({
    url: redis.url,
    key: KEY,
    value,
    ttlMs: LONG_MS,
    connectWaitMs: 0,
    ...more,
  });
  opened.push(gate);
  return gate;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 20_000, interval: 100 }).toBe(true);
}

/** Milliseconds that something took. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Code, message and hint of a failure, none of which shows the password. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!isGodwitError(error)) throw new Error("no failure of ours", { cause: error });
  const seen = [error.message, error.hint, error.stack, JSON.stringify(error), String(error.cause)].join(
    "\n",
  );
  for (const form of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(seen).not.toContain(form);
  return `${error.code}: ${error.message} → ${error.hint ?? ""}`;
}

const about = present ? "" : " (no redis-server here, and none could be installed)";
describe.skipIf(!present)(`a gate in Redis${about}`, () => {
  let redis: RedisServer;
  beforeAll(async () => {
    const server = await startRedis({ password: PASSWORD });
    redis = server;
    return () => server[Symbol.asyncDispose]();
  });
  afterEach(() => redis.flush());

  it("lets one in, and says who", async () => {
    const first = await open(redis, JSON.stringify({ host: "build-7", run: "0197" }));
    const second = await open(redis, "second");
    expect(await first.holder()).toBeNull();
    expect(await first.tryEnter()).toBe(true);
    expect(await second.tryEnter()).toBe(false);
    expect(await second.renew()).toBe("lost");
    expect(await second.holder()).toBe("host build-7, run 0197");
    expect(await redis.command("KEYS", "*migration*")).toBe("migration_shop_lock");
    expect(Number(await redis.command("PTTL", KEY))).toBeGreaterThan(LONG_MS / 2);

    await second.leave();
    expect(await second.tryEnter()).toBe(false);
    await first.leave();
    expect(await redis.command("EXISTS", KEY)).toBe("0");
    expect(await second.tryEnter()).toBe(true);
    expect(await second.holder()).toBe("second");
  });

  it("lets one of fifty in", async () => {
    const gates = await Promise.all(Array.from({ length: 50 }, (_, n) => open(redis, `gate ${n}`)));
    const entered = await Promise.all(gates.map((gate) => gate.tryEnter()));
    expect(entered.filter(Boolean)).toHaveLength(1);
    expect(await redis.command("GET", KEY)).toBe(`gate ${entered.indexOf(true)}`);
  });

  it("keeps keys and databases apart", async () => {
    const shop = await open(redis, "a");
    const other = await open(redis, "b", { key: redisKey("shop", "acme") });
    const numbered = await open(redis, "c", { url: `${redis.url}/3` });
    expect([await shop.tryEnter(), await other.tryEnter(), await numbered.tryEnter()]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await redis.command("-n", "3", "KEYS", "*")).toBe("migration_shop_lock");
  });

  it("lets another in when its time is over", async () => {
    const ttlMs = 2000;
    const first = await open(redis, "first", { ttlMs });
    const second = await open(redis, "second");
    expect(await first.tryEnter()).toBe(true);
    await until(() => second.tryEnter());
    expect(await first.renew()).toBe("lost");
    await first.leave();
    expect(await first.holder()).toBe("second");
  });

  it("stays inside while it renews", async () => {
    const first = await open(redis, "first", { ttlMs: 6000 });
    const second = await open(redis, "second");
    expect(await first.tryEnter()).toBe(true);
    for (const end = performance.now() + 7000; performance.now() < end; await delay(250)) {
      expect(await first.renew()).toBe("kept");
      expect(await second.tryEnter()).toBe(false);
    }
  });

  it("comes back after a flush unless another was faster", async () => {
    const first = await open(redis, "first");
    const second = await open(redis, "second");
    expect(await first.tryEnter()).toBe(true);
    await redis.flush();
    expect(await first.renew()).toBe("kept");
    expect(await second.tryEnter()).toBe(false);
    expect(Number(await redis.command("PTTL", KEY))).toBeGreaterThan(LONG_MS / 2);
    await redis.flush();
    expect(await second.tryEnter()).toBe(true);
    expect(await first.renew()).toBe("lost");
  });

  it("stays out of a key that holds something else", async () => {
    const gate = await open(redis, "first");
    await redis.command("HSET", KEY, "a", "b");
    expect(await failureOf(open(redis, "second"))).toContain(
      "the key of the lock holds something that is no lock",
    );
    expect(await failureOf(gate.tryEnter())).toContain("the key of the lock holds something that is no lock");
    expect(await gate.renew()).toBe("lost");
    expect(await gate.holder()).toBeNull();
    await gate.leave();
    expect(await redis.command("EXISTS", KEY)).toBe("1");
  });

  it("shows a holder's text as one harmless line", async () => {
    await redis.command("SET", KEY, `\u001B[31mred\n${"x".repeat(1000)}`);
    const shown = await (await open(redis, "first")).holder();
    expect(shown).toMatch(/^\[31mred x+…$/);
    expect(shown).toHaveLength(200);
  });

  it("gives it back when it is closed, and can be closed twice", async () => {
    const gate = await open(redis, "first");
    expect(await gate.tryEnter()).toBe(true);
    await gate.close();
    await gate.close();
    expect(await redis.command("EXISTS", KEY)).toBe("0");
  });

  it("finds a server that was restarted, where the key is set again", async () => {
    const first = await open(redis, "first");
    const second = await open(redis, "second");
    expect(await first.tryEnter()).toBe(true);
    await redis.kill();
    expect(await first.renew()).toBe("unreachable");
    expect(await first.holder()).toBeNull();
    expect(await failureOf(second.tryEnter())).toContain(
      "REDIS_UNREACHABLE: could not use the Redis of the lock",
    );
    await first.leave();
    await redis.start();
    expect(await first.renew()).toBe("kept");
    expect(await second.tryEnter()).toBe(false);

    // Nobody asked while it was away: the connection ended unnoticed.
    await redis.stop();
    await redis.start();
    expect(await second.tryEnter()).toBe(true);
    expect(await first.renew()).toBe("lost");
  });

  it("answers in time while the server is frozen, and goes on after", async () => {
    const first = await open(redis, "first");
    const second = await open(redis, "second");
    expect(await first.tryEnter()).toBe(true);
    redis.freeze();
    try {
      for (const ask of [first, second]) {
        expect(await timed(async () => expect(await ask.renew()).toBe("unreachable"))).toBeLessThan(10_000);
      }
      expect(await timed(() => first.leave())).toBeLessThan(10_000);
      expect(await first.holder()).toBeNull();
      expect(await failureOf(second.tryEnter())).toContain("no answer in 2 s");
      expect(await failureOf(open(redis, "third"))).toContain("no answer in 2 s");
      expect(await timed(() => second.close())).toBeLessThan(10_000);
    } finally {
      redis.thaw();
    }
    expect(["kept", "lost"]).toContain(await first.renew());
  });

  it("knows its own key again that was set by an attempt without an answer", async () => {
    const gate = await open(redis, "first");
    redis.freeze();
    expect(await failureOf(gate.tryEnter())).toContain("no answer in 2 s");
    redis.thaw();
    await until(async () => (await redis.command("GET", KEY)) === "first");
    expect(await gate.tryEnter()).toBe(true);
    await gate.leave();
    expect(await redis.command("EXISTS", KEY)).toBe("0");
  });

  it("answers in time while commands are paused", async () => {
    const gate = await open(redis, "first");
    expect(await gate.tryEnter()).toBe(true);
    await redis.command("CLIENT", "PAUSE", "60000", "WRITE");
    expect(await gate.renew()).toBe("unreachable");
    await redis.command("CLIENT", "UNPAUSE");
    expect(await gate.renew()).toBe("kept");
    await redis.command("CLIENT", "PAUSE", "6000", "ALL");
    await gate.leave();
    await until(async () => (await gate.renew()) === "kept");
  });

  it("waits for a server that is not there yet, and no longer than told", async () => {
    await redis.kill();
    const waiting = open(redis, "first", { connectWaitMs: 30_000 });
    await delay(500);
    await redis.start();
    expect(await (await waiting).tryEnter()).toBe(true);

    await redis.kill();
    try {
      const took = await timed(async () => {
        const told = await failureOf(open(redis, "second", { connectWaitMs: 1000 }));
        expect(told).toBe(
          `REDIS_UNREACHABLE: could not use the Redis of the lock at 127.0.0.1:${redis.port}: connection refused → is the server running there, and does it listen on that port? try it: redis-cli -h 127.0.0.1 -p ${redis.port} --askpass PING`,
        );
      });
      expect(took).toBeGreaterThan(900);
      expect(took).toBeLessThan(10_000);
      const signal = AbortSignal.timeout(300);
      expect(await failureOf(open(redis, "third", { connectWaitMs: LONG_MS, signal }))).toMatch(
        /^INTERRUPTED/,
      );
    } finally {
      await redis.start();
    }
  });

  it("says what is wrong with the credentials, and shows none", async () => {
    const wrong = redis.url.replace("s3", "s4");
    expect(await failureOf(open(redis, "x", { url: wrong }))).toContain(
      "the password or the user was refused",
    );
    const none = `redis://127.0.0.1:${redis.port}`;
    expect(await failureOf(open(redis, "x", { url: none }))).toContain("a password is required");
    expect(await failureOf(open(redis, "x", { url: `${redis.url}/99` }))).toContain(
      "no database of that number",
    );
  });
});
