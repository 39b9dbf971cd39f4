import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as library from "../../../src/index.ts";
import {
  createGodwit,
  ERROR_CODES,
  exitStatusOf,
  GodwitError,
  isGodwitError,
  sql,
} from "../../../src/index.ts";
import { withClient } from "../../support/postgres.ts";
import {
  eventsOf,
  failureOf,
  historyOf,
  idsOf,
  statesOf,
  tablesOf,
  testFolder,
  testProject,
  writeFiles,
} from "../../support/project.ts";

const two = { "1_a.sql": "CREATE TABLE a (id int);", "2_b.sql": "CREATE TABLE b (id int);" };

describe("createGodwit", () => {
  it("has the defaults of the command line: ./migrations and DATABASE_URL", async () => {
    const { root, database } = await testProject(two);
    const godwit = await createGodwit({ cwd: root, env: { DATABASE_URL: database.url } });
    expect(godwit.config).toMatchObject({
      root,
      file: null,
      historySchema: "godwit",
      safety: { lockTimeoutMs: 500, statementTimeoutMs: 0 },
      streams: [{ name: "default", migrations: join(root, "migrations"), searchPath: null }],
    });
    expect(idsOf(await godwit.up())).toEqual(["1_a", "2_b"]);
  });

  it("reads a configuration file that lies above the working folder", async () => {
    const { root, database } = await testProject(two);
    await writeFiles(root, {
      "godwit.config.yaml":
        'migrations: migrations\ndatabase: "${SHOP_URL}"\nhistory: { schema: records }\nsafety: { lock_timeout: 3s }\n',
      "deep/er/keep": "",
    });
    const godwit = await createGodwit({ cwd: join(root, "deep", "er"), env: { SHOP_URL: database.url } });
    expect(godwit.config).toMatchObject({ root, historySchema: "records", safety: { lockTimeoutMs: 3000 } });
    expect((await godwit.up()).total).toBe(2);
    expect(await database.query("SELECT count(*) AS n FROM records.migrations")).toEqual([{ n: "2" }]);
    const again = await createGodwit({ config: godwit.config });
    expect((await again.up()).total).toBe(0);
  });

  it("takes the environment that it is given and no other", async () => {
    const { root } = await testProject(two);
    const godwit = await createGodwit({ cwd: root, env: {} });
    const error = await failureOf(godwit.status(), "DATABASE_NOT_CONFIGURED");
    expect(`${error.message} ${error.hint}`).toContain("DATABASE_URL");
    expect(error.hint).toContain("--embedded");
  });

  it("tells what is wrong with the configuration at once", async () => {
    const root = await testFolder();
    await failureOf(createGodwit({ cwd: root, env: {}, config: "nowhere.yaml" }), "CONFIG_NOT_FOUND");
    await writeFiles(root, { "godwit.config.json": '{ "migration": "x" }' });
    const { hint } = await failureOf(createGodwit({ cwd: root, env: {} }), "CONFIG_INVALID");
    expect(hint).toContain("migrations");
    await failureOf(createGodwit({ cwd: root, env: {}, config: "nowhere.yaml" }), "CONFIG_NOT_FOUND");
  });

  it("keeps its limits", async () => {
    const { open } = await testProject({
      "1_a.sql":
        "CREATE TABLE a AS SELECT current_setting('lock_timeout') AS l, current_setting('statement_timeout') AS s;",
    });
    const { database } = await testProject({});
    const godwit = await open({ database: database.url, lockTimeoutMs: 1500, statementTimeoutMs: 90_000 });
    await godwit.up();
    expect(await database.query("SELECT * FROM a")).toEqual([{ l: "1500ms", s: "90s" }]);
  });

  it("exports what its users need", () => {
    expect(Object.keys(library).toSorted()).toEqual([
      "ERROR_CODES",
      "GodwitError",
      "createGodwit",
      "defineConfig",
      "exitStatusOf",
      "isGodwitError",
      "sql",
    ]);
    expect(sql`SELECT ${1}`).toEqual({ text: "SELECT $1", values: [1] });
    expect(exitStatusOf("LOCK_BUSY")).toBe(ERROR_CODES.LOCK_BUSY.exit);
    expect(isGodwitError(new GodwitError("USAGE", "x"), "USAGE")).toBe(true);
  });
});

describe("a run", () => {
  it("is awaited for its result or iterated for its events, or both", async () => {
    const { godwit } = await testProject(two);
    const run = godwit.up();
    const types: string[] = [];
    for await (const event of run) types.push(event.type);
    const result = await run;
    expect(await run.result).toBe(result);
    expect(types).toEqual([
      "run.started",
      "target.started",
      "history.upgraded",
      "lock.acquired",
      "migration.started",
      "statement.started",
      "statement.finished",
      "migration.finished",
      "migration.started",
      "statement.started",
      "statement.finished",
      "migration.finished",
      "target.finished",
      "run.finished",
    ]);
  });

  it("starts when it is called, whether or not anybody listens", async () => {
    const { godwit, database } = await testProject(two);
    void godwit.up();
    await expect.poll(() => tablesOf(database), { timeout: 10_000 }).toEqual(["a", "b"]);
    await godwit.wait();
  });

  it("goes on when its listener leaves early", async () => {
    const { godwit } = await testProject(two);
    const run = godwit.up();
    for await (const event of run) if (event.type === "migration.started") break;
    expect((await run).total).toBe(2);
  });

  it("keeps its events for a listener that comes late", async () => {
    const { godwit } = await testProject(two);
    const run = godwit.up();
    await run;
    expect((await eventsOf(run, "migration.finished")).map(({ id }) => id)).toEqual(["1_a", "2_b"]);
  });

  it("lets two listeners end, though each event goes to one of them", async () => {
    const { godwit } = await testProject(two);
    const run = godwit.up();
    const listen = async (): Promise<string[]> => {
      const types: string[] = [];
      for await (const event of run) types.push(event.type);
      return types;
    };
    const heard = await Promise.all([listen(), listen(), listen()]);
    expect(
      heard
        .flat()
        .toSorted()
        .filter((type) => type === "run.finished"),
    ).toEqual(["run.finished"]);
    expect(heard.flat()).toHaveLength(14);
  });

  it("that fails ends its events with what happened, and throws only for who awaits it", async () => {
    const { godwit } = await testProject({ "1_a.sql": "SELECT 1/0;" });
    const run = godwit.up();
    const events = [];
    for await (const event of run) events.push(event);
    expect(events.at(-2)).toMatchObject({ type: "target.finished", error: { code: "MIGRATION_FAILED" } });
    expect(events.at(-1)).toMatchObject({ type: "run.finished", ok: false, applied: 0 });
    await failureOf(run, "MIGRATION_FAILED");
    await failureOf(run.result, "MIGRATION_FAILED");
  });

  it("numbers its events' runs as the history does", async () => {
    const { godwit, database } = await testProject(two);
    const run = godwit.up();
    const { runId } = await run;
    const [started] = await eventsOf(run, "run.started");
    expect(started).toMatchObject({ runId, command: "up" });
    expect(await database.query("SELECT run_id, command, outcome FROM godwit.runs")).toEqual([
      { run_id: runId, command: "up", outcome: "completed" },
    ]);
  });
});

describe("an abort signal", () => {
  it("aborted before ends the verb before it does anything", async () => {
    const { godwit, database } = await testProject(two);
    const signal = AbortSignal.abort();
    for (const run of [
      godwit.up({ signal }),
      godwit.down({ signal }),
      godwit.status({ signal }),
      godwit.plan({ signal }),
      godwit.wait({ signal }),
      godwit.history({ signal }),
      godwit.verify({ signal }),
      godwit.baseline({ id: "1_a", signal }),
      godwit.repair({ action: "mark-applied", ids: ["1_a"], reason: "x", signal }),
    ]) {
      await failureOf(run, "INTERRUPTED");
    }
    expect(await tablesOf(database)).toEqual([]);
  });

  it("cancels the statement under way; what was committed stays and the rest is pending", async () => {
    const { godwit, database } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);",
      "2_b.sql": "CREATE TABLE b (id int);\nSELECT pg_sleep(60);\n",
      "3_c.sql": "CREATE TABLE c (id int);",
    });
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    for await (const event of run) {
      if (event.type === "statement.started" && event.sql.includes("pg_sleep")) controller.abort();
    }
    const error = await failureOf(run, "INTERRUPTED");
    expect(idsOf(error.result)).toEqual(["1_a"]);
    expect(await tablesOf(database)).toEqual(["a"]);
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending", "3_c: pending"]);
    expect(await database.query("SELECT outcome FROM godwit.runs")).toEqual([{ outcome: "interrupted" }]);
    expect((await godwit.status()).targets[0]).toMatchObject({ lockedBy: null, code: "PENDING" });
    const left =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";
    await expect.poll(() => database.query(left)).toEqual([]);
  });

  it("may carry its own reason", async () => {
    const { godwit } = await testProject({ "1_a.sql": "SELECT pg_sleep(60);" });
    const controller = new AbortController();
    const run = godwit.up({ signal: controller.signal });
    setTimeout(() => controller.abort(new GodwitError("TERMINATED", "told to end")), 300);
    expect((await failureOf(run, "TERMINATED")).message).toBe("told to end");
  });

  it("ends a run that waits for the lock, which stays with its holder", async () => {
    const { godwit, open } = await testProject({ "1_a.sql": "SELECT pg_sleep(1.5);" });
    const holder = godwit.up();
    for await (const event of holder) if (event.type === "statement.started") break;
    const controller = new AbortController();
    const waiter = (await open()).up({ signal: controller.signal });
    for await (const event of waiter) if (event.type === "lock.waiting") controller.abort();
    await failureOf(waiter, "INTERRUPTED");
    expect((await holder).total).toBe(1);
  });

  it("at any moment leaves a consistent state, from which up goes on", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [
        `${String(n).padStart(2, "0")}.sql`,
        n % 4 === 3
          ? `CREATE TABLE t${n} (id int);\nCREATE INDEX CONCURRENTLY i${n} ON t${n} (id);\nCREATE TABLE u${n} ();\n`
          : `CREATE TABLE t${n} (id int);\nCREATE TABLE u${n} ();\n`,
      ]),
    );
    const { godwit, database } = await testProject(files);
    for (let round = 0; round < 40; round++) {
      const controller = new AbortController();
      const run = godwit.up({ signal: controller.signal });
      const after = Math.floor(Math.random() * 25);
      let seen = 0;
      for await (const _ of run) if (seen++ === after) controller.abort();
      const done = await run.then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: "INTERRUPTED" });
          return false;
        },
      );
      const whole = (await historyOf(database).catch(() => [])).filter(
        ({ status }) => status === "completed",
      );
      const tables = await tablesOf(database);
      for (const { id } of whole) {
        expect(tables).toContain(`t${Number(id)}`);
        expect(tables).toContain(`u${Number(id)}`);
      }
      if (done) break;
    }
    await godwit.up();
    expect(await tablesOf(database)).toHaveLength(24);
    expect(await database.query("SELECT 1 FROM pg_index WHERE NOT indisvalid")).toEqual([]);
    expect((await godwit.verify()).targets[0]?.brokenAt).toBeNull();
  });
});

describe("Godwit's lock", () => {
  it("is waited for, and what another run did meanwhile is not done again", async () => {
    const { godwit, open } = await testProject({
      "1_a.sql": "SELECT pg_sleep(3);\nCREATE TABLE a ();",
      "2_b.sql": "CREATE TABLE b ();",
    });
    const holder = godwit.up();
    for await (const event of holder) if (event.type === "statement.started") break;
    const waiter = (await open()).up();
    const waits = eventsOf(waiter, "lock.waiting");
    expect([(await holder).total, (await waiter).total]).toEqual([2, 0]);
    expect((await waits)[0]?.holder).toContain("backend");
  });

  it("is not waited for longer than told", async () => {
    const { godwit, open } = await testProject({ "1_a.sql": "SELECT pg_sleep(1.5);" });
    const holder = godwit.up();
    for await (const event of holder) if (event.type === "statement.started") break;
    const error = await failureOf((await open()).up({ lockWaitMs: 0 }), "LOCK_BUSY");
    expect(error.message).toContain("backend");
    expect(exitStatusOf(error.code)).toBe(4);
    await holder;
  });

  it("does not stop a CREATE INDEX CONCURRENTLY while others wait for it", async () => {
    const { godwit, open, database } = await testProject({
      "1_a.sql": "CREATE TABLE a (id int);",
      "2_b.sql": "CREATE INDEX CONCURRENTLY i ON a (id);\nCREATE INDEX CONCURRENTLY j ON a (id);\n",
    });
    await godwit.up({ steps: 1 });
    await withClient(database.url, async (blocker) => {
      await blocker.query("BEGIN; INSERT INTO a VALUES (1)");
      const runs = [godwit, await open(), await open()].map((one) => one.up());
      await expect
        .poll(async () => (await godwit.status()).targets[0]?.lockedBy, { timeout: 10_000 })
        .not.toBeNull();
      await blocker.query("COMMIT");
      const results = await Promise.all(runs);
      expect(results.reduce((sum, { total }) => sum + total, 0)).toBe(1);
    });
  });
});

describe("create", () => {
  it("writes a file that up applies behind the others", async () => {
    const { godwit, database } = await testProject({ "0001_a.sql": "CREATE TABLE a ();" });
    const { path, id } = await godwit.create({ name: "add more tables" });
    expect(id).toMatch(/^\d{14}_add_more_tables$/);
    await writeFiles("/", { [path]: "-- migrate:up\nCREATE TABLE c ();\n-- migrate:down\nDROP TABLE c;\n" });
    expect(idsOf(await godwit.up())).toEqual(["0001_a", id]);
    expect(await tablesOf(database)).toEqual(["a", "c"]);
  });
});
