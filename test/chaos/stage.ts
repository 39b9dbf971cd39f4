import { expect, onTestFinished } from "vitest";
import type { EmbeddedMajor } from "../../src/postgres/embedded/packages.ts";
import { Project } from "../e2e/cli-harness.ts";
import { contest, type ContestResult } from "./contest.ts";
import { evidenceIn } from "./evidence.ts";
import { type Kind, migrationFiles, WORLD_SQL } from "./migrations.ts";
import { contradictions } from "./model.ts";
import type { Schedule } from "./schedule.ts";
import { tell } from "./tell.ts";
import { advisoryHolders, type Variant } from "./variant.ts";
import { World } from "./world.ts";

/** No contest takes as long that is not stuck, however busy the machine is. */
const LIMIT_MS = 600_000;

/** A world with a project for it, whose processes hold the lock in one of the ways. */
export interface Stage {
  readonly world: World;
  readonly project: Project;
  readonly variant: Variant;
  /** How the processes reach the database. */
  readonly url: string;
}

/** Sets a stage for the running test. */
export async function stage(
  major: EmbeddedMajor,
  make: (world: World) => Variant | Promise<Variant>,
  kinds?: readonly Kind[],
): Promise<Stage> {
  const world = await World.make(major);
  onTestFinished(() => world.stop());
  await world.query(WORLD_SQL);
  const variant = await make(world);
  const config = variant.config(world.database.url);
  const files = { ...migrationFiles(kinds), ...(config === "" ? {} : { "godwit.config.yaml": config }) };
  const url = variant.urlFor(world.database.url);
  return { world, project: new Project(files, { DATABASE_URL: url }), variant, url };
}

/** Lets many processes do the same, under the faults of a schedule, and tells what happened. */
export async function suffer(
  { world, project, variant, url }: Stage,
  argv: readonly string[],
  schedule: Schedule,
  processes: number,
): Promise<ContestResult> {
  const began = performance.now();
  const result = await contest({
    world,
    variant,
    schedule,
    argv: [...argv, "--json", "--quiet"],
    folder: project.folder,
    env: { DATABASE_URL: url },
    processes,
    limitMs: LIMIT_MS,
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { faults, counts } = schedule;
  tell(
    `${argv[0]} with ${variant.name}: ${faults.length} faults, ${result.started} processes, overtaken ${result.overtaken} times, ` +
      `${seconds} s; ${JSON.stringify(counts)}`,
  );
  expect(result.problems).toEqual([]);
  return result;
}

/** Nobody is at work and nothing is stuck; what the log tells is what the database shows. */
export async function expectAtRest({ world, project, variant }: Stage): Promise<void> {
  const sessions = `SELECT pid, application_name, query FROM pg_stat_activity
    WHERE datname = current_database() AND application_name ~ '^(godwit|chaos [0-9])'`;
  // A pooler keeps the sessions that it has, and their names.
  if (!variant.isPooled)
    await expect.poll(() => world.query(sessions), { timeout: 30_000, interval: 100 }).toEqual([]);
  // One that was struck behind the last work leaves its row, which keeps nobody from the lock.
  await expect
    .poll(() => holdingIn(project), { timeout: 20_000, interval: 1000 })
    .toMatch(/^(?:free|stale)$/);
  expect(await advisoryHolders(world.query)).toEqual([]);
  expect(await world.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")).toEqual([]);
  expect(contradictions(await evidenceIn(world.query))).toEqual([]);
  const verified = await project.run(["verify"]);
  expect(verified.exit, verified.stderr).toBe(0);
}

/** What `godwit lock status` says of the only target: `held`, `free` or `stale`. */
async function holdingIn(project: Stage["project"]): Promise<string> {
  const { stdout } = await project.run(["lock", "status", "--json"]);
  const { data } = JSON.parse(stdout) as { data: { targets: { holding: string }[] } };
  return data.targets[0]!.holding;
}

/** Without faults. */
export async function simply({ project }: Stage, argv: readonly string[]): Promise<void> {
  const { exit, stderr } = await project.run([...argv]);
  expect(exit, stderr).toBe(0);
}
