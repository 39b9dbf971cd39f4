import { describe, expect, it, onTestFinished } from "vitest";
import { createRole, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { failureOf, hasHistory, statesOf, tablesOf, testProject } from "../../support/project.ts";

const files = {
  "1_a.sql": "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n",
  "2_b.sql": "CREATE INDEX CONCURRENTLY i ON a (id);\n",
  "v.repeatable.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n",
};

/** A role that may connect and, once told so, read. */
async function readerOf(database: TestDatabase): Promise<{ url: string; grant: () => Promise<unknown> }> {
  const role = await createRole("NOINHERIT");
  onTestFinished(() => role.drop([database.url]));
  await database.query(`GRANT CONNECT ON DATABASE ${database.name} TO ${role.name}`);
  return {
    url: role.urlFor(database.url),
    grant: () =>
      database.query(
        `GRANT USAGE ON SCHEMA godwit TO ${role.name}; GRANT SELECT ON ALL TABLES IN SCHEMA godwit TO ${role.name}`,
      ),
  };
}

function readOnlyUrl(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}options=-c%20default_transaction_read_only%3Don`;
}

describe("a role that may only read", () => {
  it("sees everything before there is a history, and makes none", async () => {
    const database = await testDatabase();
    const { url } = await readerOf(database);
    const { godwit } = await testProject(files, { database, options: { database: url } });
    expect(await statesOf(godwit)).toEqual(["1_a: pending", "2_b: pending", "v: pending"]);
    expect((await godwit.plan()).plans[0]?.migrations.map(({ id }) => id)).toEqual(["1_a", "2_b", "v"]);
    expect((await godwit.plan({ direction: "down", all: true })).plans[0]?.migrations).toEqual([]);
    expect((await godwit.graph()).nodes.map(({ state }) => state)).toEqual(["pending", "pending"]);
    expect((await godwit.history()).targets[0]?.entries).toEqual([]);
    expect((await godwit.repair()).remaining).toEqual([]);
    expect((await godwit.verify()).targets[0]?.entries).toBe(0);
    await failureOf(godwit.wait({ timeoutMs: 0 }), "PENDING");
    expect(await hasHistory(database)).toBe(false);
  });

  it("sees everything of a history that it was granted", async () => {
    const database = await testDatabase();
    const { url, grant } = await readerOf(database);
    const { godwit, open, write } = await testProject(files, { database });
    await godwit.up({ to: "1_a" });
    await grant();
    const reader = await open({ database: url });
    const log = await database.query("SELECT count(*) FROM godwit.migration_log");
    expect(await statesOf(reader)).toEqual(["1_a: applied", "2_b: pending", "v: pending"]);
    expect((await reader.plan()).plans[0]?.migrations.map(({ id }) => id)).toEqual(["2_b", "v"]);
    expect((await reader.plan({ direction: "down" })).plans[0]?.migrations.map(({ id }) => id)).toEqual([
      "1_a",
    ]);
    expect((await reader.graph()).nodes.map(({ state }) => state)).toEqual(["applied", "pending"]);
    expect((await reader.history()).targets[0]?.entries.length).toBeGreaterThan(0);
    expect((await reader.verify()).targets[0]).toMatchObject({ brokenAt: null });
    expect((await reader.wait({ for: ["1_a"], timeoutMs: 0 })).reached).toBe(true);
    await write({ "1_a.sql": "CREATE TABLE a ();" });
    expect((await reader.repair()).remaining).toMatchObject([{ id: "1_a", problem: "checksum" }]);
    expect(await database.query("SELECT count(*) FROM godwit.migration_log")).toEqual(log);
  });

  it("is told what it lacks where it may not read the history", async () => {
    const database = await testDatabase();
    const { url } = await readerOf(database);
    const { godwit, open } = await testProject(files, { database });
    await godwit.up();
    const error = await failureOf((await open({ database: url })).status(), "PERMISSION_DENIED");
    expect(error.hint).toContain("GRANT USAGE ON SCHEMA godwit");
  });

  it("finds nothing to do with up once all is applied, and is refused before that", async () => {
    const database = await testDatabase();
    const { url, grant } = await readerOf(database);
    const { godwit, open } = await testProject(files, { database });
    const reader = await open({ database: url });
    const error = await failureOf(reader.up(), "PERMISSION_DENIED");
    expect(error.hint).toContain("CREATE SCHEMA godwit");
    expect(await hasHistory(database)).toBe(false);
    await godwit.up();
    await grant();
    expect((await reader.up()).total).toBe(0);
  });

  it("is told what it lacks where it may read the history and not write it", async () => {
    const database = await testDatabase();
    const { url, grant } = await readerOf(database);
    const { godwit, open } = await testProject(files, { database });
    await godwit.up({ steps: 1 });
    await grant();
    const error = await failureOf((await open({ database: url })).up(), "PERMISSION_DENIED");
    expect(error.hint).toContain("GRANT");
    expect(await statesOf(godwit)).toEqual(["1_a: applied", "2_b: pending", "v: pending"]);
  });
});

describe("a session that can only read, as on a standby", () => {
  it("sees everything and makes nothing", async () => {
    const database = await testDatabase();
    const { godwit, open } = await testProject(files, { database });
    const reader = await open({ database: readOnlyUrl(database.url) });
    expect(await statesOf(reader)).toEqual(["1_a: pending", "2_b: pending", "v: pending"]);
    expect((await reader.plan()).plans[0]?.migrations).toHaveLength(3);
    const error = await failureOf(reader.up(), "PERMISSION_DENIED");
    expect(error.hint).toContain("target_session_attrs");
    expect(await tablesOf(database)).toEqual([]);
    await godwit.up();
    expect((await reader.up()).total).toBe(0);
    expect(await statesOf(reader)).toEqual(["1_a: applied", "2_b: applied", "v: applied"]);
    expect((await reader.verify()).targets[0]?.brokenAt).toBeNull();
    expect((await reader.wait({ timeoutMs: 0 })).reached).toBe(true);
    const refused = await failureOf(reader.down({ to: "1_a" }), "IRREVERSIBLE");
    expect(refused.message).toContain("2_b");
  });

  it("is told so also where the history is there already", async () => {
    const database = await testDatabase();
    const { godwit, open } = await testProject(files, { database });
    await godwit.up({ steps: 1 });
    const error = await failureOf(
      (await open({ database: readOnlyUrl(database.url) })).up(),
      "PERMISSION_DENIED",
    );
    expect(error.hint).toContain("target_session_attrs");
  });
});
