import { describe, expect, it } from "vitest";
import { schemaOfDocument, type JsonVerb } from "../../src/cli/json-schemas/by-verb.ts";
import { testDatabase } from "../support/postgres.ts";
import { Project, SHOP } from "./cli-harness.ts";

/** Runs a verb with --json: stdout must be one document that fits the verb's schema, stderr empty unless it failed. */
async function json(
  project: Project,
  argv: readonly string[],
  verb: JsonVerb,
  exit: number,
): Promise<unknown> {
  const finished = await project.run([...argv, "--json"]);
  const document: unknown = JSON.parse(finished.stdout);
  expect(schemaOfDocument(verb).safeParse(document).error).toBeUndefined();
  expect([finished.exit, finished.stderr]).toEqual([exit, ""]);
  expect(document).toMatchObject({ version: 1, verb, exit, ok: exit === 0 });
  return document;
}

describe("--json", () => {
  it("prints nothing but its document, for every verb, through the life of a project", async () => {
    const { url } = await testDatabase();
    const project = new Project({}, { DATABASE_URL: url });

    await json(project, ["init"], "init", 0);
    await json(project, ["new", "orders"], "new", 0);
    await json(project, ["new", "--ts", "fill", "orders"], "new", 0);
    await json(project, ["version"], "version", 0);
    await json(project, ["completion", "bash"], "completion", 0);

    const shop = new Project(SHOP, { DATABASE_URL: url });
    expect(await json(shop, ["status"], "status", 0)).toMatchObject({
      data: { targets: [{ history_version: null, code: "PENDING", counts: { applied: 0, pending: 3 } }] },
    });
    expect(await json(shop, ["status", "--exit-code"], "status", 3)).toMatchObject({ code: "PENDING" });
    await json(shop, ["graph", "--offline"], "graph", 0);
    await json(shop, ["plan"], "plan", 0);
    await json(shop, ["up", "--dry-run"], "plan", 0);
    await json(shop, ["wait", "--connection"], "wait", 0);
    await json(shop, ["wait", "--timeout", "300ms"], "wait", 3);

    expect(await json(shop, ["up"], "up", 0)).toMatchObject({
      run_id: expect.any(String),
      data: { total: 3, targets: [{ error: null, migrations: [{}, {}, { kind: "repeatable" }] }] },
    });
    expect(await json(shop, ["up"], "up", 0)).toMatchObject({ data: { total: 0 } });
    await json(shop, ["wait", "--timeout", "10s"], "wait", 0);
    await json(shop, ["status", "--exit-code"], "status", 0);
    expect(await json(shop, ["history"], "history", 0)).toMatchObject({
      data: { targets: [{ entries: expect.arrayContaining([expect.objectContaining({ level: "info" })]) }] },
    });
    await json(shop, ["graph"], "graph", 0);
    await json(shop, ["verify"], "verify", 0);
    await json(shop, ["redo"], "redo", 0);
    await json(shop, ["plan", "--down", "--all"], "plan", 0);
    await json(shop, ["repair"], "repair", 0);
    for (const sub of ["status", "release", "blockers"]) await json(shop, ["lock", sub], "lock", 0);
    expect(await json(shop, ["down", "--all"], "down", 0)).toMatchObject({ data: { total: 2 } });
    await json(shop, ["baseline", "20260101000000_users", "--reason", "there already"], "baseline", 0);
  });

  it("keeps to its schema when things go wrong", async () => {
    const { url } = await testDatabase();
    const project = new Project(SHOP, { DATABASE_URL: url });
    await json(project, ["up"], "up", 0);

    project.write({ "migrations/20260103000000_broken.sql": "SELECT 1;\nSELECT * FROM nowhere;\n" });
    expect(await json(project, ["up"], "up", 1)).toMatchObject({
      code: "MIGRATION_FAILED",
      error: { sqlstate: "42P01", location: { line: 2, column: 15 } },
    });
    expect(await json(project, ["status"], "status", 0)).toMatchObject({
      data: { targets: [{ counts: { failed: 1 } }] },
    });

    project.write({ "migrations/20260101000000_users.sql": "CREATE TABLE users (id int);\n" });
    expect(await json(project, ["up"], "up", 5)).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await json(project, ["status", "--exit-code"], "status", 5);
    await json(project, ["verify"], "verify", 5);
    expect(await json(project, ["repair"], "repair", 0)).toMatchObject({
      data: { remaining: [{ id: "20260101000000_users", problem: "checksum" }] },
    });
    await json(project, ["repair", "accept-checksum", "--reason", "meant so"], "repair", 0);

    project.write({ "migrations/20260103000000_broken.sql": "SELECT $$;\n" });
    expect(await json(project, ["up"], "up", 2)).toMatchObject({ code: "MIGRATION_MALFORMED" });
    expect(await json(project, ["baseline", "nope"], "baseline", 2)).toMatchObject({ data: null });
  });

  it("is a document too when the command line is wrong", async () => {
    const project = new Project({});
    const { exit, stdout, stderr } = await project.run(["up", "--stpe", "1", "--json"]);
    expect([exit, stderr]).toEqual([2, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ verb: "up", ok: false, code: "USAGE" });
  });
});
