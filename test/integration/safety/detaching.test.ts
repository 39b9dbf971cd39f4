import { expect, it } from "vitest";
import { eventsOf, failureOf, statesOf, testProject } from "../../support/project.ts";
import { reasons } from "../../support/half-done.ts";
import { testClient } from "./gate.ts";

const TABLES = `CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
  CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)`;
const FILES = { "1_a.sql": "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n" };
const QUEUED =
  "SELECT FROM pg_locks WHERE NOT granted AND relation = 'p1'::regclass AND mode = 'AccessExclusiveLock'";
const OPTIONS = { options: { maxBlockingMs: 500 } };

/** Who uses the partition by its own name, past the partitioned table. */
const USING = "BEGIN; SELECT FROM p1";

it("a detachment makes nobody wait for longer than max_blocking, and is finalized once nobody is in its way", async () => {
  const { database, godwit } = await testProject(FILES, OPTIONS);
  await database.query(TABLES);
  const inTheWay = await testClient(database.url);
  await inTheWay.query(USING);
  const run = godwit.up();
  const application = await testClient(database.url);
  // First the statement itself, then what finalizes it.
  for (let times = 0; times < 2; times++) {
    await expect.poll(() => database.query(QUEUED)).toHaveLength(1);
    const began = Date.now();
    await application.query("SELECT FROM p1");
    expect(Date.now() - began).toBeLessThan(5000);
  }
  await inTheWay.query("COMMIT");
  expect((await run).total).toBe(1);
  expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
  expect(await database.query("SELECT FROM pg_inherits WHERE inhrelid = 'p1'::regclass")).toEqual([]);
  const [first] = await eventsOf(run, "migration.retrying");
  expect(first?.reason).toBe("the detachment of p1 had to be finalized, and others waited for that");
});

it("a detachment that was left pending is finalized as considerately", async () => {
  const { database, godwit, open } = await testProject(FILES, OPTIONS);
  await database.query(TABLES);
  const inTheWay = await testClient(database.url);
  await inTheWay.query(USING);
  const cut = await open({ ...OPTIONS.options, patientTimeoutMs: 1500 });
  await failureOf(cut.up(), "OBJECT_LOCK_TIMEOUT");
  expect(await database.query("SELECT FROM pg_inherits WHERE inhdetachpending")).toHaveLength(1);
  const run = godwit.up();
  await expect.poll(() => database.query(QUEUED)).toHaveLength(1);
  const application = await testClient(database.url);
  const began = Date.now();
  await application.query("SELECT FROM p1");
  expect(Date.now() - began).toBeLessThan(5000);
  await inTheWay.query("COMMIT");
  await run;
  expect(await reasons(run)).toEqual(["its detachment was pending and has been finalized"]);
});
