import { setTimeout as delay } from "node:timers/promises";
import type { CrashPoint } from "../../src/core/crash-points.ts";
import { kindOf } from "./migrations.ts";
import { Contestant, type Ended, type Report } from "./processes.ts";
import { type Fault, placeOf, type RedisFault, type Schedule } from "./schedule.ts";
import { ADVISORY, advisoryHolders, endSessions, ownerIn, type Variant } from "./variant.ts";
import type { World } from "./world.ts";

export interface ContestOptions {
  readonly world: World;
  readonly variant: Variant;
  readonly schedule: Schedule;
  /** What every process runs. */
  readonly argv: readonly string[];
  /** Its folder, with the configuration and the migrations. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** How many start at once. */
  readonly processes: number;
  /** After so many milliseconds nothing is as it should be. */
  readonly limitMs: number;
}

export interface ContestResult {
  /** How many processes were needed. */
  readonly started: number;
  /** How often somebody took over from a holder that stood still. */
  readonly overtaken: number;
  /** What was not as it must be: a process that ended otherwise than it should, a fault that did not strike the holder. */
  readonly problems: readonly string[];
}

/** New ones are started when no more than this part of the first ones is left, so that somebody always waits. */
const REFILL_BELOW = 0.2;
const REFILL_LEAST = 3;
/** How long Redis does not answer. */
const REDIS_AWAY_MS = 1500;

/**
 * Starts many processes at once, and has the schedule's faults strike whoever holds the lock, at point after point, until all
 * of them have struck and every process has come to its end by itself.
 */
export async function contest(options: ContestOptions): Promise<ContestResult> {
  return new Contest(options).run();
}

class Contest {
  readonly #options: ContestOptions;
  readonly #all: Contestant[] = [];
  readonly #problems: string[] = [];
  readonly #reports: Report[] = [];
  #struckSinceStart = false;
  #token = 0;
  #overtaken = 0;
  #wake: () => void = () => undefined;

  constructor(options: ContestOptions) {
    this.#options = options;
  }

  async run(): Promise<ContestResult> {
    const { processes, limitMs, schedule } = this.#options;
    const until = Date.now() + limitMs;
    this.#start(processes);
    try {
      for (;;) {
        const report = await this.#nextReport(until);
        if (report !== null) {
          await this.#judge(report);
          continue;
        }
        this.#refill();
        if (this.#alive.length === 0) break;
        if (Date.now() >= until) {
          this.#problems.push(`after ${limitMs} ms ${this.#alive.length} processes are not done`);
          break;
        }
      }
    } finally {
      for (const one of this.#alive) one.signal("SIGKILL");
    }
    await Promise.all(this.#all.map((one) => one.ended));
    for (const { place, kind } of schedule.left)
      this.#problems.push(`${place}: ${kind} never struck a holder`);
    return { started: this.#all.length, overtaken: this.#overtaken, problems: this.#problems };
  }

  get #alive(): readonly Contestant[] {
    return this.#all.filter((one) => !one.isOver);
  }

  #start(count: number): void {
    const { argv, folder, env } = this.#options;
    for (let started = 0; started < count; started++) {
      const one = new Contestant({
        name: `chaos ${this.#all.length + 1}`,
        argv,
        folder,
        env,
        onReport: (report) => {
          this.#reports.push(report);
          this.#wake();
        },
      });
      this.#all.push(one);
      void this.#end(one);
    }
  }

  async #end(one: Contestant): Promise<void> {
    this.#check(one, await one.ended);
    this.#wake();
  }

  /** null: somebody has ended, or nothing was said for a second. */
  async #nextReport(until: number): Promise<Report | null> {
    if (this.#reports.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, Math.max(1, Math.min(1000, until - Date.now())));
      await promise;
      clearTimeout(timer);
    }
    return this.#reports.shift() ?? null;
  }

  async #judge(report: Report): Promise<void> {
    const { schedule } = this.#options;
    const { by, point, migration } = report;
    if (by.isOver) return;
    const place = placeOf(point, migration === null ? null : kindOf(migration));
    if (point === "lock.token-raised") await this.#noteClaim(by);
    const fault = schedule.next(place);
    if (fault === undefined || !(await this.#isHolder(by, point))) {
      by.goOn();
      return;
    }
    schedule.struck(fault);
    by.suffered.push(`${fault.kind} at ${place}`);
    await this.#strike(fault, by);
    this.#struckSinceStart = true;
  }

  /** The one that says so has just claimed the lock: nobody else did since, as nobody else was let go on. */
  async #noteClaim(by: Contestant): Promise<void> {
    by.hasLost = false;
    by.ownership = await ownerIn(this.#options.world.query);
    const token = by.ownership?.token ?? 0;
    if (token <= this.#token && !this.#options.variant.overtakes)
      this.#problems.push(`${by.name} claimed the lock with token ${token}, behind ${this.#token}`);
    this.#token = Math.max(this.#token, token);
  }

  /** Whether the lock is its own. One whose session was ended, or whose lease ran out, may not have noticed yet. */
  async #isHolder(by: Contestant, point: CrashPoint): Promise<boolean> {
    const { world, variant } = this.#options;
    // Here it is not claimed yet, or not held any more.
    if (point === "lock.acquired" || point === "history.upgraded") {
      if (variant !== ADVISORY || by.ownership !== null) return variant.isGated;
      const isInside = (await advisoryHolders(world.query)).includes(by.name);
      if (!isInside) this.#problems.push(`${point}: ${by.name} stands there without the lock`);
      return isInside;
    }
    // Who lost its session passes these too, and has nothing left that could be struck.
    if (point === "lock.given-back" || point === "gate.left") return !by.hasLost;
    const owner = await ownerIn(world.query);
    if (owner !== null && owner.token === by.ownership?.token) return !by.hasLost;
    if (!by.hasLost && !variant.overtakes)
      this.#problems.push(`${point}: ${by.name} stands there without the lock`);
    return false;
  }

  /** Starts new ones where few are left. Not where nothing has struck those before: then nothing is left to do either. */
  #refill(): void {
    const { schedule, processes } = this.#options;
    if (!this.#struckSinceStart || schedule.left.length === 0) return;
    if (this.#alive.length > Math.max(2, processes * REFILL_BELOW)) return;
    this.#struckSinceStart = false;
    this.#start(Math.max(Math.min(processes, REFILL_LEAST), Math.ceil(processes / 4)));
  }

  async #strike(fault: Fault, victim: Contestant): Promise<void> {
    const { world } = this.#options;
    await delay(fault.delayMs);
    switch (fault.kind) {
      case "kill":
        victim.signal("SIGKILL");
        await victim.ended;
        return;
      case "stop":
        await this.#holdStill(victim);
        return;
      case "terminate":
        if ((await endSessions(world.query, victim.name, victim.ownership)) === 0)
          this.#problems.push(`${fault.place}: ${victim.name} has no session that could be ended`);
        victim.hasLost = true;
        victim.goOn();
        return;
      case "ask":
        victim.signal("SIGTERM");
        victim.goOn();
        return;
      case "restart":
        for (const one of this.#alive) {
          one.suffered.push("restart of the server");
          one.hasLost = true;
        }
        await world.restart();
        victim.goOn();
        return;
      case "flush":
      case "lose":
      case "pause":
      case "freeze":
        await this.#strikeRedis(fault.kind);
        victim.goOn();
    }
  }

  async #strikeRedis(kind: RedisFault): Promise<void> {
    const redis = this.#options.variant.redis!;
    switch (kind) {
      case "flush":
        return redis.flush();
      case "lose":
        await redis.kill();
        await delay(REDIS_AWAY_MS);
        return redis.start();
      case "pause":
        await redis.command("CLIENT", "PAUSE", String(REDIS_AWAY_MS), "ALL");
        return;
      case "freeze":
        redis.freeze();
        await delay(REDIS_AWAY_MS);
        redis.thaw();
    }
  }

  async #holdStill(victim: Contestant): Promise<void> {
    const { variant } = this.#options;
    victim.signal("SIGSTOP");
    const taker = await this.#takerWithin(variant.stopMs);
    if (taker !== null) this.#overtaken += 1;
    if (taker !== null && !variant.overtakes)
      this.#problems.push(
        `${victim.name} stood still with the lock, and ${taker.by.name} reached ${taker.point}`,
      );
    victim.signal("SIGCONT");
    victim.goOn();
  }

  /** The first report of somebody who has taken the lock over, which stays to be judged; others go on meanwhile. */
  async #takerWithin(ms: number): Promise<Report | null> {
    const { isGated, overtakes } = this.#options.variant;
    const until = Date.now() + ms;
    const aside: Report[] = [];
    let taker: Report | null = null;
    while (taker === null && Date.now() < until) {
      const report = await this.#nextReport(until);
      if (report === null) continue;
      if (report.by.hasLost || report.point === "gate.left") aside.push(report);
      else if (report.point === "lock.token-raised" || (isGated && !overtakes)) taker = report;
      else report.by.goOn();
    }
    this.#reports.unshift(...aside, ...(taker === null ? [] : [taker]));
    return taker;
  }

  #check(one: Contestant, ended: Ended): void {
    const { exit, signal } = ended;
    if (one.suffered.some((what) => what.startsWith("kill"))) return;
    const mayFail = one.suffered.some((what) => /^(?:terminate|ask|restart)/.test(what));
    const lost = one.suffered.filter((what) => /^(?:terminate|stop)/.test(what)).length;
    const allowed = [...(mayFail ? MAY_END_WITH : [0]), ...(lost >= MOST_LOSSES ? [LOCK_LOST] : [])];
    if (exit !== null && allowed.includes(exit)) return;
    const what = one.suffered.length === 0 ? "nothing" : one.suffered.join(", ");
    this.#problems.push(
      `${one.name}, which suffered ${what}, ended with ${exit ?? signal}:\n${ended.stderr}\n${ended.stdout}`,
    );
  }
}

/** One that loses its lock so often in a migration gives up. */
const MOST_LOSSES = 3;
const LOCK_LOST = 4;

/** A session or a server that went away is 1 or 8, a request to stop is 143; nothing may ever ask for a person. */
const MAY_END_WITH: readonly number[] = [0, 1, 8, 143];
