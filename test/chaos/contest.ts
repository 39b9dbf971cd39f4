import { setTimeout as delay } from "node:timers/promises";
import { kindOf } from "./migrations.ts";
import { Contestant, type Ended, type Report } from "./processes.ts";
import { type Fault, placeOf, type Schedule } from "./schedule.ts";
import type { LockVariant } from "./variant.ts";
import type { World } from "./world.ts";

export interface ContestOptions {
  readonly world: World;
  readonly variant: LockVariant;
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
  /** What was not as it must be: a process that ended otherwise than it should, a fault that did not strike the holder. */
  readonly problems: readonly string[];
}

/** New ones are started when no more than this part of the first ones is left, so that somebody always waits. */
const REFILL_BELOW = 0.2;
const REFILL_LEAST = 3;
/** How long a holder stands still under SIGSTOP where nobody may overtake it. */
const STOPPED_MS = 400;

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
    return { started: this.#all.length, problems: this.#problems };
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
      void one.ended.then((ended) => {
        this.#check(one, ended);
        this.#wake();
      });
    }
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
    const { schedule, variant, world } = this.#options;
    const { by, point, migration } = report;
    if (by.isOver) return;
    const place = placeOf(point, migration === null ? null : kindOf(migration));
    if (point === "lock.acquired") by.backend = await variant.holder(world.query, by.name);
    const fault = schedule.next(place);
    // One whose session was ended is no holder any more, even while it has not noticed.
    if (fault === undefined || by.suffered.some(endsSession)) {
      by.goOn();
      return;
    }
    if (
      point !== "lock.given-back" &&
      (by.backend === null || !(await variant.holds(world.query, by.backend)))
    )
      this.#problems.push(`${place}: ${by.name} stands there without the lock`);
    schedule.struck(fault);
    by.suffered.push(`${fault.kind} at ${place}`);
    await this.#strike(fault, by);
    this.#struckSinceStart = true;
  }

  /** Starts new ones where few are left. Not where nothing has struck those before: then nothing is left to do either. */
  #refill(): void {
    const { schedule, processes } = this.#options;
    if (!this.#struckSinceStart || schedule.left.length === 0) return;
    if (this.#alive.length > processes * REFILL_BELOW) return;
    this.#struckSinceStart = false;
    this.#start(Math.max(Math.min(processes, REFILL_LEAST), Math.ceil(processes / 4)));
  }

  async #strike(fault: Fault, victim: Contestant): Promise<void> {
    const { world, variant } = this.#options;
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
        await world.query("SELECT pg_terminate_backend($1)", [victim.backend]);
        victim.goOn();
        return;
      case "ask":
        victim.signal("SIGTERM");
        victim.goOn();
        return;
      case "restart":
        for (const one of this.#alive) one.suffered.push("restart of the server");
        await world.restart();
        await variant.restarted?.();
        victim.goOn();
    }
  }

  async #holdStill(victim: Contestant): Promise<void> {
    const { variant } = this.#options;
    victim.signal("SIGSTOP");
    const before = this.#reports.length;
    await delay(variant.stopMs ?? STOPPED_MS);
    if (!variant.overtakes && this.#reports.slice(before).some(({ point }) => point !== "lock.given-back"))
      this.#problems.push(`${victim.name} stood still with the lock, and somebody else had it`);
    victim.signal("SIGCONT");
    victim.goOn();
  }

  #check(one: Contestant, ended: Ended): void {
    const { exit, signal } = ended;
    if (one.suffered.some((what) => what.startsWith("kill"))) return;
    const mayFail = one.suffered.some((what) => /^(?:terminate|ask|restart)/.test(what));
    const allowed = mayFail ? MAY_END_WITH : [0];
    if (exit !== null && allowed.includes(exit)) return;
    const what = one.suffered.length === 0 ? "nothing" : one.suffered.join(", ");
    this.#problems.push(
      `${one.name}, which suffered ${what}, ended with ${exit ?? signal}:\n${ended.stderr}\n${ended.stdout}`,
    );
  }
}

const endsSession = (what: string): boolean => /^(?:terminate|restart)/.test(what);

/** A session or a server that went away is 1 or 8, a request to stop is 143; nothing may ever ask for a person. */
const MAY_END_WITH: readonly number[] = [0, 1, 8, 143];
