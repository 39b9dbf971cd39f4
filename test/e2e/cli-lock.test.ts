import { describe, expect, it } from "vitest";
import { schemaOfDocument } from "../../src/cli/json-schemas/by-verb.ts";
import { AT_GATE, PATIENT, shutGate, testClient } from "../integration/safety/gate.ts";
import { testDatabase } from "../support/postgres.ts";
import { Project, type Finished } from "./cli-harness.ts";

const GATED = {
  "migrations/1_a.sql": "CREATE TABLE a (id int);\n",
  "migrations/2_gate.sql": `${PATIENT}CREATE TABLE gated ();\n${AT_GATE}\n`,
};

/** A process that holds the lock and waits at the gate. */
async function held() {
  const database = await testDatabase();
  const project = new Project(GATED, { DATABASE_URL: database.url });
  const gate = await shutGate(database);
  const holder = project.start(["up"]);
  await gate.reached();
  return { database, project, gate, holder };
}

function documentOf({ stdout }: Finished): unknown {
  const document: unknown = JSON.parse(stdout);
  expect(schemaOfDocument("lock").safeParse(document).error).toBeUndefined();
  return document;
}

describe("godwit lock", () => {
  it("status, release and blockers say that there is nothing", async () => {
    const { url } = await testDatabase();
    const project = new Project({}, { DATABASE_URL: url });
    const status = await project.run(["lock", "status"]);
    expect([status.exit, status.stderr]).toEqual([0, ""]);
    expect(status.stdout).toMatch(/^default: .*\n {2}✓ free \(nobody ever held it\)\n$/);
    const release = await project.run(["lock", "release"]);
    expect([release.exit, release.stdout]).toEqual([
      0,
      "✓ nothing to release: the lock of default is free (nobody ever held it)\n",
    ]);
    const blockers = await project.run(["lock", "blockers"]);
    expect(blockers.stdout).toMatch(/^default: .*\n {2}✓ nobody waits for a lock\n$/);
    for (const sub of ["status", "release", "blockers"]) {
      expect(documentOf(await project.run(["lock", sub, "--json"]))).toMatchObject({
        verb: "lock",
        ok: true,
      });
      expect((await project.run(["lock", sub, "--quiet"])).stderr).toBe("");
    }
  });

  it("shows a holder, refuses to release it, and takes the lock by force", async () => {
    const { project, holder, gate } = await held();
    const { stdout } = await project.run(["lock", "status"]);
    expect(stdout).toMatch(/ {2}● held by run [0-9a-f]{12} of \S+@\S+ for [\d.]+ m?s\n/);
    expect(stdout).toMatch(
      / {6}up, backend \d+, advisory lock, token 1, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\n/,
    );
    expect(stdout).toContain("      at 2_gate; 1 of 2 done\n");
    expect(stdout).toMatch(/ {6}has run for [\d.]+ m?s: SELECT pg_advisory_xact_lock_shared/);
    expect(stdout).toMatch(/ {6}waits for backend \d+ \(test\): SELECT pg_advisory_lock/);
    expect(stdout).toContain("next: godwit lock blockers\n");
    expect(documentOf(await project.run(["lock", "status", "--json"]))).toMatchObject({
      data: {
        targets: [{ holding: "held", holder: { command: "up", progress: { done: 1, remaining: 1 } } }],
      },
    });

    const refused = await project.run(["lock", "release"]);
    expect([refused.exit, refused.stdout]).toEqual([4, ""]);
    expect(refused.stderr).toMatch(
      /error\[LOCK_BUSY\]: run [0-9a-f]{12} of .* holds the lock of "default" and lives/,
    );
    expect(refused.stderr).toContain("godwit lock release --force --reason");
    const unreasoned = await project.run(["lock", "release", "--force", "--json"]);
    expect(unreasoned.exit).toBe(2);
    expect(documentOf(unreasoned)).toMatchObject({ code: "USAGE", data: null });

    const forced = await project.run(["lock", "release", "--force", "--reason", "its machine hangs"]);
    expect([forced.exit, forced.stderr]).toEqual([0, ""]);
    expect(forced.stdout).toMatch(
      /^✓ took the lock of default from run [0-9a-f]{12} of .*\n {4}ended backend \d+; .* rolled back\nnext: godwit status\n$/,
    );
    const { exit, stderr } = await holder.finished;
    expect(exit).toBe(4);
    expect(stderr).toMatch(/error\[LOCK_LOST\]: \S+@\S+ took Godwit's lock from this run by force/);
    const history = await project.run(["history"]);
    expect(history.stdout).toContain("took the lock by force from run");
    expect(history.stdout).toContain("its machine hangs");
    await gate.open();
    expect((await project.run(["up"])).exit).toBe(0);
    expect((await project.run(["verify"])).exit).toBe(0);
  });

  it("prints the lock tree with the statement that ends its root", async () => {
    const { database, project } = await held();
    const idle = await testClient(database.url);
    await idle.query("CREATE TABLE t (id int)");
    await idle.query("BEGIN; LOCK TABLE t");
    const waiter = await testClient(database.url);
    waiter.query("SELECT *\n  FROM t").catch(() => undefined);
    const { rows } = await idle.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    let shown = "";
    await expect
      .poll(async () => (shown = (await project.run(["lock", "blockers"])).stdout), { timeout: 20_000 })
      .toContain("2 sessions wait for a lock");
    expect(shown).toMatch(
      new RegExp(
        `  ● backend ${rows[0]!.pid} \\(\\S+, test\\) idle in transaction for .*, transaction .* old\\n` +
          `      SELECT pg_backend_pid\\(\\) AS pid\\n(?:      ! .*\\n)?` +
          `      to end it: SELECT pg_terminate_backend\\(${rows[0]!.pid}\\);\\n` +
          `    └ backend \\d+ \\(\\S+, test\\) waits [\\d.]+ m?s for AccessShareLock on t, transaction .* old\\n` +
          `        SELECT \\* FROM t\\n`,
      ),
    );
    expect(documentOf(await project.run(["lock", "blockers", "--json"]))).toMatchObject({
      data: { databases: [{ tree: expect.arrayContaining([expect.objectContaining({ godwit: true })]) }] },
    });
  });

  it("asks which of its verbs is meant", async () => {
    const project = new Project({});
    const { exit, stderr } = await project.run(["lock", "relaese"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("release");
  });
});
