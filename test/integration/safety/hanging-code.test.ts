import { expect, it } from "vitest";
import { failureOf, testProject } from "../../support/project.ts";

const HANGING = `export async function up(db) {
  await db.query("CREATE TABLE a ()");
  await new Promise((resolve) => setTimeout(resolve, 45_000));
  await db.query("CREATE TABLE b ()");
}\n`;

it.each([
  ["", [], []],
  ["export const transaction = false;\n", [{ relname: "a" }], [{ state: "unknown" }]],
])("code that waits for something else does not keep a run from ending: %j", async (head, tables, steps) => {
  const { godwit, database } = await testProject({ "1_a.mjs": head + HANGING });
  const controller = new AbortController();
  const run = godwit.up({ signal: controller.signal });
  for await (const event of run) if (event.type === "migration.started") break;
  const holds =
    "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE TABLE a%' AND state LIKE 'idle%' AND datname = current_database()";
  await expect.poll(() => database.query(holds)).toHaveLength(1);
  const began = Date.now();
  controller.abort();
  await failureOf(run, "INTERRUPTED");
  expect(Date.now() - began).toBeLessThan(15_000);
  // Nothing of it keeps a lock, and nobody else has to wait.
  expect(await database.query(holds)).toEqual([]);
  expect(await database.query("SELECT relname FROM pg_class WHERE relname IN ('a', 'b')")).toEqual(tables);
  expect(await database.query("SELECT state FROM godwit.migration_steps")).toEqual(steps);
});

it("code that looks at its signal puts in order what it has begun elsewhere", async () => {
  const { godwit, database } = await testProject({
    "1_a.mjs": `export async function up(db) {
      await db.query("CREATE TABLE a ()");
      await new Promise((resolve) => db.signal.addEventListener("abort", resolve));
      await new Promise((resolve) => setTimeout(resolve, 300));
      globalThis.godwitTidied = true;
    }\n`,
  });
  const controller = new AbortController();
  const run = godwit.up({ signal: controller.signal });
  for await (const event of run) if (event.type === "migration.started") break;
  setTimeout(() => controller.abort(), 500);
  await failureOf(run, "INTERRUPTED");
  expect(Reflect.get(globalThis, "godwitTidied")).toBe(true);
  expect(await database.query("SELECT relname FROM pg_class WHERE relname = 'a'")).toEqual([]);
});
