import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { Project } from "../../e2e/cli-harness.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tablesOf } from "../../support/project.ts";

const COUNT = 60;
const SEED = Number(process.env["GODWIT_TEST_SEED"] ?? 20260101);

/** Numbers from 0 to 1, the same for each seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A migration that fails if any part of it runs twice or not at all; `down` takes it back. */
function migration(n: number): string {
  const up = [`CREATE TABLE t${n} (id int);`, `INSERT INTO tally VALUES (${n});`];
  const down = [`DELETE FROM tally WHERE n = ${n};`, `DROP TABLE t${n};`];
  const pause = "SELECT pg_sleep(0.01);";
  switch (n % 6) {
    case 1:
      return text(
        [...up, pause, `CREATE INDEX CONCURRENTLY i${n} ON t${n} (id);`],
        [`DROP INDEX CONCURRENTLY i${n};`, ...down],
      );
    case 3:
      return text(
        [
          `CREATE TYPE e${n} AS ENUM ('a');`,
          `ALTER TYPE e${n} ADD VALUE 'b';`,
          ...up,
          `INSERT INTO t${n} SELECT 1 WHERE 'b'::e${n} = 'b';`,
        ],
        [...down, `DROP TYPE e${n};`],
      );
    case 5:
      return `-- godwit:transaction off\n${text([...up, `VACUUM t${n};`, pause, `REINDEX TABLE CONCURRENTLY t${n};`], [...down, "VACUUM tally;"])}`;
    default:
      return text([...up, pause], down);
  }
}

const text = (up: readonly string[], down: readonly string[]): string =>
  `-- migrate:up\n${up.join("\n")}\n-- migrate:down\n${down.join("\n")}\n`;

/**
 * Runs a command again and again, each time killed after a few migrations and some milliseconds, until it gets to its end.
 * @returns how often it was killed.
 */
async function untilDone(project: Project, argv: readonly string[], next: () => number): Promise<number> {
  for (let kills = 0; kills < 100; kills++) {
    const cli = project.start([...argv, "--log", "json"]);
    let left = Math.floor(next() * 9);
    const extra = next() * 25;
    let seen = "";
    cli.child.stderr?.on("data", (chunk: Buffer) => {
      seen += chunk.toString("utf8");
      const lines = seen.split("\n");
      seen = lines.pop() ?? "";
      for (const line of lines) {
        if (!/"type":"(?:migration\.finished|lock\.acquired)"/.test(line)) continue;
        if (left-- === 0) void delay(extra).then(() => cli.child.kill("SIGKILL"));
      }
    });
    const { exit, signal, stderr } = await cli.finished;
    if (signal === "SIGKILL") continue;
    expect(exit, stderr).toBe(0);
    return kills;
  }
  throw new Error("it never got to its end");
}

async function tally(database: TestDatabase): Promise<number[]> {
  const rows = await database.query<{ n: number }>("SELECT n FROM tally ORDER BY n");
  return rows.map(({ n }) => n);
}

it(
  `kill -9 at random moments: ${COUNT} migrations converge without a person, each once, up and down (seed ${SEED})`,
  { timeout: 300_000 },
  async () => {
    const database = await testDatabase();
    const numbers = Array.from({ length: COUNT }, (_, n) => n + 1);
    const files = Object.fromEntries(numbers.map((n) => [`migrations/${1000 + n}_t.sql`, migration(n)]));
    const project = new Project(files, { DATABASE_URL: database.url });
    await database.query("CREATE TABLE tally (n int)");
    const next = random(SEED);

    const upKills = await untilDone(project, ["up"], next);
    expect(upKills).toBeGreaterThanOrEqual(5);
    expect(await tally(database)).toEqual(numbers);
    expect(await tablesOf(database)).toEqual(["tally", ...numbers.map((n) => `t${n}`)].sort());
    expect(await database.query("SELECT count(*)::int AS n FROM pg_index WHERE NOT indisvalid")).toEqual([
      { n: 0 },
    ]);
    expect(
      await database.query(
        "SELECT migration_id, count(*)::int AS n FROM godwit.migration_log WHERE event = 'migration.applied' GROUP BY 1 HAVING count(*) <> 1",
      ),
    ).toEqual([]);
    expect(await database.query("SELECT * FROM godwit.migration_steps")).toEqual([]);
    const verified = await project.run(["verify"]);
    expect(verified.exit, verified.stderr).toBe(0);

    const downKills = await untilDone(project, ["down", "--all"], next);
    expect(downKills).toBeGreaterThanOrEqual(3);
    expect(await tally(database)).toEqual([]);
    expect(await tablesOf(database)).toEqual(["tally"]);
    expect(
      await database.query("SELECT status, count(*)::int AS n FROM godwit.migrations GROUP BY 1"),
    ).toEqual([{ status: "rolled_back", n: COUNT }]);
    expect((await project.run(["verify"])).exit).toBe(0);
  },
);
