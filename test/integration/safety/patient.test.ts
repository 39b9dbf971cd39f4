import { describe, expect, it } from "vitest";
import { eventsOf, failureOf, statesOf, testProject } from "../../support/project.ts";
import { testClient } from "./gate.ts";

const USERS =
  "CREATE TABLE users (id int PRIMARY KEY, email text, CONSTRAINT filled CHECK (email IS NOT NULL) NOT VALID);\n";
const INVALID = "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid";

describe("a statement that waits without making others wait", () => {
  it.each([
    ["CREATE INDEX CONCURRENTLY by_email ON users (email)"],
    ["ALTER TABLE users VALIDATE CONSTRAINT filled"],
  ])("has no lock_timeout: %s", async (sql) => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_patient.sql": `${sql};\n` },
      { options: { lockTimeoutMs: 200, maxBlockingMs: 200 } },
    );
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE");
    const other = await testClient(database.url);
    const run = godwit.up();
    await expect
      .poll(() => database.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass"), {
        timeout: 20_000,
      })
      .toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    // Who reads or writes rows does not wait meanwhile.
    await other.query("INSERT INTO users VALUES (1, 'a'); SELECT FROM users");
    await blocker.query("COMMIT");
    expect((await run).total).toBe(1);
    expect(await eventsOf(run, "migration.retrying")).toEqual([]);
  });

  it("is not cancelled for what waits for it as patiently", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_prove.sql": "ALTER TABLE users VALIDATE CONSTRAINT filled;\n" },
      { options: { maxBlockingMs: 200 } },
    );
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE");
    const run = godwit.up();
    const waiting = async (count: number): Promise<void> => {
      await expect
        .poll(
          () => database.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass"),
          {
            timeout: 20_000,
          },
        )
        .toHaveLength(count);
    };
    await waiting(1);
    const other = await testClient(database.url);
    const queued = other.query("BEGIN; LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE; COMMIT");
    await waiting(2);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await blocker.query("COMMIT");
    expect((await run).total).toBe(1);
    await queued;
  });

  it("tells while it runs who it waits for", async () => {
    const { database, godwit } = await testProject({
      "1_users.sql": USERS,
      "2_index.sql": "CREATE INDEX CONCURRENTLY by_email ON users (email);\n",
    });
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; INSERT INTO users VALUES (1, 'a')");
    const run = godwit.up();
    let told = null;
    for await (const event of run) {
      if (event.type !== "statement.progress" || event.waitingFor === null || told !== null) continue;
      told = event;
      await blocker.query("COMMIT");
    }
    await run;
    expect(told).toMatchObject({
      phase: "waiting for writers before build",
      done: 0,
      total: 1,
      waitingFor: expect.stringMatching(/^backend \d+ \(test\): BEGIN; INSERT INTO users/),
    });
  });

  it("has the same deadline for clearing away what was left half done", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_index.sql": "CREATE INDEX CONCURRENTLY by_email ON users (email);\n" },
      { options: { patientTimeoutMs: 3000 } },
    );
    await godwit.up({ steps: 1 });
    await database.query("INSERT INTO users VALUES (1, 'a'), (2, 'a')");
    await database.query("CREATE UNIQUE INDEX CONCURRENTLY by_email ON users (email)").catch(() => undefined);
    expect(await database.query(INVALID)).toEqual([{ name: "by_email" }]);
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; INSERT INTO users VALUES (3, 'b')");
    const error = await failureOf(godwit.up(), "OBJECT_LOCK_TIMEOUT");
    expect(error.message).toBe(
      "2_index: the INVALID index by_email had to be dropped, and that was not done within 3.0 s",
    );
    expect(error.detail).toContain("(test): BEGIN; INSERT INTO users");
    expect(error.hint).toContain("godwit up --patient-timeout 4h");
    await blocker.query("COMMIT");
    expect((await godwit.up()).total).toBe(1);
  });

  it("is given up at its deadline: the error tells who it waited for, and no INVALID index is left", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_index.sql": "CREATE INDEX CONCURRENTLY by_email ON users (email);\n" },
      { options: { patientTimeoutMs: 3000 } },
    );
    await godwit.up({ steps: 1 });
    await database.query("CREATE TABLE elsewhere ()");
    const blocker = await testClient(database.url);
    // An old snapshot: the last phase of the build waits for it, dropping the index does not.
    await blocker.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM elsewhere");
    const run = godwit.up();
    const error = await failureOf(run, "OBJECT_LOCK_TIMEOUT");
    expect(error.message).toBe("2_index: CREATE INDEX was not done within 3.0 s");
    expect(error.detail).toMatch(/^it waited for backend \d+ \(test\): BEGIN ISOLATION LEVEL/);
    expect(error.hint).toContain("--patient-timeout");
    expect(error.location).toMatchObject({ line: 1 });
    expect(await database.query(INVALID)).toEqual([]);
    expect(await eventsOf(run, "notice")).toMatchObject([
      { message: "index public.by_email was left INVALID and has been dropped" },
    ]);
    await blocker.query("COMMIT");
    expect((await godwit.up()).total).toBe(1);
    await godwit.verify();
  });

  it("is given up at its deadline in a transaction too", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_prove.sql": "ALTER TABLE users VALIDATE CONSTRAINT filled;\n" },
      { options: { patientTimeoutMs: 3000 } },
    );
    await godwit.up({ steps: 1 });
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN; LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE");
    const error = await failureOf(godwit.up(), "OBJECT_LOCK_TIMEOUT");
    expect(error.message).toBe("2_prove: ALTER TABLE was not done within 3.0 s");
    expect(error.detail).toMatch(/^it waited for backend \d+ \(test\)/);
    await blocker.query("COMMIT");
    expect((await godwit.up()).total).toBe(1);
  });
});

describe("CONCURRENTLY that fails", () => {
  it("leaves no INVALID index", async () => {
    const { database, godwit } = await testProject({
      "1_users.sql": USERS,
      "2_index.sql": "CREATE UNIQUE INDEX CONCURRENTLY ON users (email);\n",
    });
    await godwit.up({ steps: 1 });
    await database.query("INSERT INTO users VALUES (1, 'a'), (2, 'a')");
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await database.query(INVALID)).toEqual([]);
    expect(await statesOf(godwit)).toEqual(["1_users: applied", "2_index: failed"]);
    await database.query("DELETE FROM users WHERE id = 2");
    expect((await godwit.up()).total).toBe(1);
  });

  it("leaves nothing of REINDEX either", async () => {
    const { database, godwit } = await testProject(
      { "1_users.sql": USERS, "2_index.sql": "REINDEX TABLE CONCURRENTLY users;\n" },
      { options: { patientTimeoutMs: 3000 } },
    );
    await godwit.up({ steps: 1 });
    await database.query("CREATE TABLE elsewhere ()");
    const blocker = await testClient(database.url);
    await blocker.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM elsewhere");
    await failureOf(godwit.up(), "OBJECT_LOCK_TIMEOUT");
    expect(await database.query(INVALID)).toEqual([]);
    await blocker.query("COMMIT");
    expect((await godwit.up()).total).toBe(1);
  });

  it("leaves alone what was INVALID before, and what others have", async () => {
    const { database, godwit } = await testProject({
      "1_users.sql": USERS,
      "2_index.sql": "CREATE UNIQUE INDEX CONCURRENTLY by_email ON users (email);\n",
    });
    await godwit.up({ steps: 1 });
    await database.query("INSERT INTO users VALUES (1, 'a'), (2, 'a')");
    const other = await testClient(database.url);
    await other.query("CREATE UNIQUE INDEX CONCURRENTLY others ON users (email)").catch(() => undefined);
    await failureOf(godwit.up(), "MIGRATION_FAILED");
    expect(await database.query(INVALID)).toEqual([{ name: "others" }]);
  });
});
