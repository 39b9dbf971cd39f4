import { monotonicMs } from "../core/clock.ts";
import { abortReason, sleep, throwIfAborted } from "../core/interrupt.ts";
import { untilAborted } from "../postgres/connecting/time-limit.ts";
import type { LockGate } from "./gate.ts";
import { parseRedisUrl, type RedisAddress } from "./redis-address.ts";
import { loadRedisPackage } from "./redis-client.ts";
import { RedisFailure, notARedis, redisError, refusedServer } from "./redis-failure.ts";
import { describeValue } from "./redis-holder.ts";
import { RedisLink } from "./redis-link.ts";
import { HOLD, RELEASE } from "./redis-scripts.ts";

export interface RedisGateOptions {
  /** `redis://`, `rediss://` or `unix://`, its variables expanded. */
  readonly url: string;
  /** See `redisKey`. */
  readonly key: string;
  /** Unique to this holder: no two gates may have the same. A JSON object, or a text, that says who it is. */
  readonly value: string;
  /** How long the key outlives its last renewal, in milliseconds. */
  readonly ttlMs: number;
  /** How long to go on trying to connect while that may help, in milliseconds; 0: one attempt, of two seconds at most. */
  readonly connectWaitMs: number;
  /** Ends the connecting; what follows is short. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1000;

/**
 * Connects to a Redis and makes sure that it can keep the lock. Nothing is set yet.
 * Every question has its answer after about two seconds, and connects anew where the connection is gone.
 * @throws GodwitError REDIS_UNREACHABLE; CONFIG_INVALID for a malformed URL, a missing package, Sentinel or Cluster;
 * the reason of the signal.
 */
export async function openRedisGate(options: RedisGateOptions): Promise<LockGate> {
  const address = parseRedisUrl(options.url);
  throwIfAborted(options.signal);
  const link = new RedisLink(await loadRedisPackage(), address);
  try {
    await connect(link, options);
  } catch (error) {
    link.close();
    throw error instanceof RedisFailure ? redisError(error, address) : error;
  }
  return new RedisGate(link, address, options);
}

async function connect(link: RedisLink, options: RedisGateOptions): Promise<void> {
  const started = monotonicMs();
  let pause = FIRST_RETRY_MS;
  for (;;) {
    throwIfAborted(options.signal);
    const checking = check(link, options);
    const failure = await (
      options.signal === undefined ? checking : untilAborted(checking, options.signal)
    ).catch((error: unknown) => {
      if (options.signal?.aborted === true) throw abortReason(options.signal);
      if (error instanceof RedisFailure) return error;
      throw error;
    });
    const left = options.connectWaitMs - (monotonicMs() - started);
    if (failure === undefined) return;
    if (!failure.reason.passing || left <= 0) throw failure;
    await sleep(Math.min(pause, left), options.signal);
    pause = Math.min(pause * 2, LONGEST_RETRY_MS);
  }
}

/** Finds out at the start what would else fail in the middle: a server of another kind, rights that are missing. */
async function check(link: RedisLink, { key, value }: RedisGateOptions): Promise<void> {
  const info = await link.ask(["INFO"]).catch((error: unknown) => {
    if (error instanceof RedisFailure && (error.answer === "NOPERM" || error.answer === "ERR")) return "";
    throw error;
  });
  const text = String(info);
  const mode = /^redis_mode:(cluster|sentinel)\b/m.exec(text)?.[1];
  if (mode === "cluster" || mode === "sentinel") throw refusedServer(mode);
  if (/^role:slave\b/m.test(text)) throw refusedServer("replica");
  // Deletes nothing: nobody else has this value.
  if ((await link.ask(["EVAL", RELEASE, "1", key, value])) !== 0) throw notARedis();
}

class RedisGate implements LockGate {
  readonly name = "redis";
  readonly #link: RedisLink;
  readonly #address: RedisAddress;
  readonly #options: RedisGateOptions;
  /** The key may be ours: an attempt succeeded, or nobody knows how it ended. */
  #mayHold = false;

  constructor(link: RedisLink, address: RedisAddress, options: RedisGateOptions) {
    this.#link = link;
    this.#address = address;
    this.#options = options;
  }

  async tryEnter(): Promise<boolean> {
    try {
      return await this.#hold();
    } catch (error) {
      throw error instanceof RedisFailure ? redisError(error, this.#address) : error;
    }
  }

  async renew(): Promise<"kept" | "lost" | "unreachable"> {
    try {
      return (await this.#hold()) ? "kept" : "lost";
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      // The key holds something else than a text: it is somebody else's.
      return error.answer === "WRONGTYPE" ? "lost" : "unreachable";
    }
  }

  async leave(): Promise<void> {
    try {
      await this.#link.ask(["EVAL", RELEASE, "1", this.#options.key, this.#options.value]);
      this.#mayHold = false;
    } catch {
      // The key ends by itself when its time is over.
    }
  }

  async holder(): Promise<string | null> {
    try {
      const value = await this.#link.ask(["GET", this.#options.key]);
      return typeof value === "string" ? describeValue(value) : null;
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      return null;
    }
  }

  async close(): Promise<void> {
    if (this.#mayHold) await this.leave();
    this.#link.close();
  }

  async #hold(): Promise<boolean> {
    const { key, value, ttlMs } = this.#options;
    this.#mayHold = true;
    const held = await this.#link.ask(["EVAL", HOLD, "1", key, value, String(ttlMs)]);
    if (held !== 0 && held !== 1) throw notARedis();
    this.#mayHold = held === 1;
    return this.#mayHold;
  }
}
