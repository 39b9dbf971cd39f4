import { describe, expect, it, onTestFinished } from "vitest";
import { havePgbouncer, startPgbouncer } from "../integration/safety/pgbouncer.ts";
import { haveRedis, startRedis } from "../support/redis.ts";
import { type Kind, WHOLE_KINDS } from "./migrations.ts";
import { chaosOptions, seedsOf } from "./options.ts";
import { randomOf } from "./random.ts";
import { type FaultKind, sampleSchedule } from "./schedule.ts";
import { expectAtRest, stage, suffer, type Stage } from "./stage.ts";
import { LEASE, pooledLease, redisLock, type Variant } from "./variant.ts";
import type { World } from "./world.ts";

const options = chaosOptions(process.env);
const { seed, majors, full } = options;
/** Of each of them a part is enough where a fault strikes all, or a lease must run out first. */
const processes = full ? options.processes : Math.min(options.processes, 12);
/** How many places are struck; a lease that nobody gives back lasts for some seconds. */
const MANY = full ? 60 : 7;

async function pooler(world: World, withDirectUrl: boolean): Promise<Variant> {
  expect(havePgbouncer()).toBe(true);
  const started = await startPgbouncer(world.database.url, "transaction");
  onTestFinished(() => started.stop());
  return pooledLease(started, withDirectUrl);
}

async function redis(): Promise<Variant> {
  expect(haveRedis()).toBe(true);
  const started = await startRedis();
  onTestFinished(() => started[Symbol.asyncDispose]());
  return redisLock(started);
}

const WAYS: readonly {
  readonly name: string;
  readonly make: (world: World) => Variant | Promise<Variant>;
  readonly faults: readonly FaultKind[];
  readonly kinds?: readonly Kind[];
}[] = [
  { name: "a lease", make: () => LEASE, faults: ["kill", "stop", "terminate", "ask"] },
  {
    name: "PgBouncer in transaction mode with direct_url",
    make: (world) => pooler(world, true),
    faults: ["kill", "stop", "terminate", "ask"],
  },
  {
    name: "PgBouncer in transaction mode alone",
    make: (world) => pooler(world, false),
    faults: ["kill", "stop", "ask"],
    kinds: WHOLE_KINDS,
  },
  { name: "Redis", make: redis, faults: ["kill", "stop", "flush", "lose", "terminate", "pause", "freeze"] },
];

/** Others than one that holds the lock may stand there. */
const BEFORE_THE_LOCK = new Set(["lock.acquired", "history.upgraded"]);

function placesFor(here: Stage, kinds: readonly Kind[] | undefined): (place: string) => boolean {
  return (place) => {
    const [kind, point] = place.split(" ");
    if (point === undefined) return here.variant.isGated || !BEFORE_THE_LOCK.has(place);
    // Where sessions are shared nothing is sent ahead.
    return kinds === undefined || (kinds.includes(kind as Kind) && point !== "bulk.sent");
  };
}

describe.each(WAYS)("$name", ({ make, faults, kinds }) => {
  it.each(majors.slice(full ? 0 : -1).flatMap((major) => seedsOf(options).map((own) => ({ major, own }))))(
    `${processes} processes on PostgreSQL $major, seed ${seed}, round of $own`,
    async ({ major, own }) => {
      const here = await stage(major, make, kinds);
      const isPossible = placesFor(here, kinds);
      const schedule = sampleSchedule("up", randomOf(own), { many: MANY, kinds: faults, isPossible });
      const { overtaken } = await suffer(here, ["up"], schedule, processes);
      await expectAtRest(here);
      if (faults.includes("stop")) expect(overtaken).toBeGreaterThan(0);
    },
  );
});
