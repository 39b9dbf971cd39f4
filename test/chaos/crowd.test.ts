import { describe, expect, it, onTestFinished } from "vitest";
import { Project } from "../e2e/cli-harness.ts";
import { contest } from "./contest.ts";
import { evidenceIn } from "./evidence.ts";
import { migrationFiles, WORLD_SQL } from "./migrations.ts";
import { contradictions } from "./model.ts";
import { chaosOptions } from "./options.ts";
import { randomOf } from "./random.ts";
import { crowdSchedule, restartSchedule, type Schedule } from "./schedule.ts";
import { tell } from "./tell.ts";
import { ADVISORY, type LockVariant } from "./variant.ts";
import { World } from "./world.ts";

const { seed, rounds, processes, majors, full } = chaosOptions(process.env);
/** No contest takes as long that is not stuck. */
const LIMIT_MS = 300_000;
/** A restart strikes everybody, so that fewer have to wait for it. */
const AT_RESTARTS = 3;

interface Stage {
  readonly world: World;
  readonly project: Project;
  readonly variant: LockVariant;
}

async function stage(major: (typeof majors)[number], variant: LockVariant): Promise<Stage> {
  const world = await World.make(major);
  onTestFinished(() => world.stop());
  await world.query(WORLD_SQL);
  const config = variant.config === "" ? {} : { "godwit.config.yaml": variant.config };
  const project = new Project({ ...migrationFiles(), ...config }, { DATABASE_URL: world.database.url });
  return { world, project, variant };
}

/**
 * Lets many processes do the same, under the faults of a schedule.
 * @returns what happened, in a line.
 */
async function suffer(
  { world, project, variant }: Stage,
  argv: readonly string[],
  schedule: Schedule,
  count: number,
): Promise<string> {
  const began = performance.now();
  const result = await contest({
    world,
    variant,
    schedule,
    argv,
    folder: project.folder,
    env: { DATABASE_URL: world.database.url },
    processes: count,
    limitMs: LIMIT_MS,
  });
  expect(result.problems).toEqual([]);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { faults, counts } = schedule;
  return `${argv[0]}: ${faults.length} faults, ${result.started} processes, ${seconds} s; ${JSON.stringify(counts)}`;
}

/** Nobody is at work and nothing is stuck; what the log tells is what the database shows. */
async function expectAtRest({ world, project, variant }: Stage): Promise<void> {
  const sessions = `SELECT pid, application_name, query FROM pg_stat_activity
    WHERE datname = current_database() AND application_name ~ '^(godwit|chaos [0-9])'`;
  await expect.poll(() => world.query(sessions), { timeout: 30_000, interval: 100 }).toEqual([]);
  expect(await variant.isHeld(world.query)).toBe(false);
  expect(await world.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")).toEqual([]);
  expect(contradictions(await evidenceIn(world.query))).toEqual([]);
  const verified = await project.run(["verify"]);
  expect(verified.exit, verified.stderr).toBe(0);
}

/** Without faults. */
async function simply({ project }: Stage, argv: readonly string[]): Promise<void> {
  const { exit, stderr } = await project.run([...argv]);
  expect(exit, stderr).toBe(0);
}

const next = randomOf(seed);
const seeds = Array.from({ length: rounds }, () => Math.floor(next() * 2 ** 32));
/** Where time is short, each way under faults on one server. */
const isTurnOf = (major: number, verb: "up" | "down"): boolean =>
  full || majors.length === 1 || majors.indexOf(major as never) % 2 === (verb === "up" ? 0 : 1);

describe.each(majors)("PostgreSQL %i", (major) => {
  describe.each(seeds)(`seed ${seed}, round of %i`, (own) => {
    it(`${processes} processes, the holder struck at every point`, async () => {
      const here = await stage(major, ADVISORY);
      for (const argv of [["up"], ["down", "--all"]] as const) {
        const [verb] = argv;
        if (isTurnOf(major, verb)) {
          const schedule = crowdSchedule(verb, randomOf(own), full ? 1 : 0.25);
          tell(await suffer(here, [...argv, "--json", "--quiet"], schedule, processes));
          await expectAtRest(here);
        }
        await simply(here, argv);
      }
      await expectAtRest(here);
    });

    it("the server restarted at its points", async () => {
      const here = await stage(major, ADVISORY);
      const schedule = restartSchedule("up", randomOf(own), full ? Infinity : 8);
      tell(await suffer(here, ["up", "--json", "--quiet"], schedule, AT_RESTARTS));
      await expectAtRest(here);
    });
  });
});
