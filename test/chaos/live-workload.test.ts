import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { ERROR_CODES } from "../../src/core/error-codes.ts";
import { Project } from "../e2e/cli-harness.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { findPsql } from "../support/psql.ts";
import { chaosOptions } from "./options.ts";
import { tell } from "./tell.ts";
import type { Sample } from "./workload.ts";

const WORKLOAD = fileURLToPath(new URL("workload.ts", import.meta.url));
const { seed } = chaosOptions(process.env);

/** The default of `safety.max_blocking`, and what a wait may be longer, since the watching session looks from time to time. */
const MAX_BLOCKING_MS = 2000;
const TOLERANCE_MS = 100;

/** Building an index over the expression takes some four seconds without using the processor. */
const WORLD_SQL = `
CREATE FUNCTION costly(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN IF id % 100 = 0 THEN PERFORM pg_sleep(0.02); END IF; RETURN id; END $$;
CREATE TABLE orders (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO orders SELECT id, 0 FROM generate_series(1, 20000) id;
ANALYZE orders;`;

/** Each wants a lock on the busy table that stands in the way of its readers or writers. */
const FILES: Readonly<Record<string, string>> = {
  "1_column.sql": "ALTER TABLE orders ADD COLUMN note text;\n",
  "2_check.sql": "ALTER TABLE orders ADD CONSTRAINT n_is_counted CHECK (n >= 0) NOT VALID;\n",
  "3_validate.sql": "ALTER TABLE orders VALIDATE CONSTRAINT n_is_counted;\n",
  "4_default.sql": "ALTER TABLE orders ALTER COLUMN n SET DEFAULT 0;\n",
  "5_reference.sql":
    "CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL);\nALTER TABLE lines ADD FOREIGN KEY (order_id) REFERENCES orders;\n",
  "6_trigger.sql":
    "CREATE TRIGGER same BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();\n",
};
/** Holds its lock for longer than others may wait. */
const TOO_LONG: Readonly<Record<string, string>> = {
  "7_index.sql": "CREATE INDEX orders_costly ON orders (costly(id));\n",
};

interface Load {
  /** Ends it. */
  stop(): Promise<readonly Sample[]>;
}

async function startLoad(database: TestDatabase): Promise<Load> {
  const child: ChildProcess = spawn(process.execPath, [WORKLOAD, database.url, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout!.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const closed = once(child, "close");
  await expect.poll(() => said.startsWith("ready\n"), { timeout: 30_000, interval: 20 }).toBe(true);
  return {
    async stop() {
      child.kill("SIGTERM");
      const [exit] = (await closed) as [number | null];
      expect(exit).toBe(0);
      return JSON.parse(said.slice("ready\n".length)) as Sample[];
    },
  };
}

async function busyDatabase(): Promise<TestDatabase> {
  const database = await testDatabase();
  await database.query(WORLD_SQL);
  return database;
}

/** The queries of the application while `work` goes on, and a little longer. */
async function during(database: TestDatabase, work: () => Promise<unknown>): Promise<readonly Sample[]> {
  const load = await startLoad(database);
  await work();
  await delay(500);
  return load.stop();
}

interface Summary {
  readonly queries: number;
  readonly p50: number;
  readonly p99: number;
  /** From being sent to the answer. */
  readonly max: number;
}

/** p50 and p99 count from when a query was due, so that those that a blocked session could not send are not left out. */
function summaryOf(samples: readonly Sample[]): Summary {
  const late = samples.map(([, , lateMs]) => lateMs).sort((a, b) => a - b);
  const at = (part: number): number => late[Math.min(late.length - 1, Math.floor(late.length * part))] ?? 0;
  return {
    queries: samples.length,
    p50: at(0.5),
    p99: at(0.99),
    max: Math.max(0, ...samples.map(([, waitMs]) => waitMs)),
  };
}

function table(rows: Readonly<Record<string, Summary>>): string {
  const line = (name: string, cells: readonly (string | number)[]): string =>
    [name.padEnd(28), ...cells.map((cell) => String(cell).padStart(9))].join("");
  return [
    line("", ["queries", "p50 ms", "p99 ms", "max ms"]),
    ...Object.entries(rows).map(([name, { queries, p50, p99, max }]) =>
      line(name, [queries, ...[p50, p99, max].map((ms) => ms.toFixed(1))]),
    ),
  ].join("\n");
}

/** Files in the project's own folder, by name. */
const inFolder = (files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`migrations/${name}`, text]));

/** Does what the files say as people do it by hand. */
async function byHand(database: TestDatabase, files: Readonly<Record<string, string>>): Promise<void> {
  const psql = await findPsql();
  if (psql === null) throw new Error("this machine has no psql, and cannot be given one");
  for (const [name, sql] of Object.entries(files))
    expect(await psql.query(database.url, sql, {}), name).toHaveProperty("rows");
}

/** Whether this Godwit cancels what others wait for, and not only what waits itself. */
const bounds = Object.hasOwn(ERROR_CODES, "BLOCKED_OTHERS");

it("no query of a live application waits longer than max_blocking for a migration", async () => {
  const quiet = summaryOf(await during(await busyDatabase(), () => delay(3000)));

  const database = await busyDatabase();
  const project = new Project(inFolder(FILES), { DATABASE_URL: database.url });
  const godwit = summaryOf(
    await during(database, async () => {
      const { exit, stderr } = await project.run(["up"]);
      expect(exit, stderr).toBe(0);
    }),
  );
  project.write(inFolder(TOO_LONG));
  const tooLong = await during(database, async () => {
    const { exit, stdout } = await project.run(["up", "--json"]);
    if (!bounds) return;
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: "BLOCKED_OTHERS" });
  });
  if (bounds) {
    expect(await database.query("SELECT FROM pg_class WHERE relname = 'orders_costly'")).toEqual([]);
  }

  const other = await busyDatabase();
  const psql = summaryOf(await during(other, () => byHand(other, FILES)));
  const psqlTooLong = summaryOf(await during(other, () => byHand(other, TOO_LONG)));

  tell(
    table({
      "no migration": quiet,
      "godwit, quick ones": godwit,
      "psql, quick ones": psql,
      "godwit, an index in the way": summaryOf(tooLong),
      "psql, an index in the way": psqlTooLong,
    }),
  );
  // What the machine makes even an undisturbed application wait is not the migration's doing.
  const limit = MAX_BLOCKING_MS + TOLERANCE_MS + quiet.max;
  expect(godwit.queries).toBeGreaterThan(100);
  expect(godwit.max).toBeLessThanOrEqual(limit);
  if (bounds) expect(summaryOf(tooLong).max).toBeLessThanOrEqual(limit);
  // Otherwise nothing was measured: by hand the application waits for the whole of it.
  expect(psqlTooLong.max).toBeGreaterThan(MAX_BLOCKING_MS + TOLERANCE_MS);
});
