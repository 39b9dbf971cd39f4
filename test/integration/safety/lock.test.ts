import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGodwit, type Godwit } from "../../../src/index.ts";
import { advisoryKey } from "../../../src/lock/key.ts";
import { Project as CliProject } from "../../e2e/cli-harness.ts";
import { eventsOf, failureOf, tablesOf, testProject, writeFiles, type Project } from "../../support/project.ts";
import { AT_GATE, godwitSessions, nobodyLeft, PATIENT, shutGate, testClient } from "./gate.ts";

const SCOPE = { schema: "godwit", stream: "default", targetSchema: "" };

/** Has another session hold Godwit's lock for the rest of the test. */
async function holdLock(project: Project, scope = SCOPE): Promise<{ pid: number; release(): Promise<void> }> {
  const client = await testClient(project.database.url);
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  await client.query(`SELECT pg_advisory_lock(${advisoryKey(scope)})`);
  return { pid: rows[0]!.pid, release: async () => void (await client.query("SELECT pg_advisory_unlock_all()")) };
}

/** Several streams in one database, each with its folder. */
async function streams(project: Project, files: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<Godwit> {
  const { config } = await project.open();
  const [base] = config.streams;
  for (const [name, own] of Object.entries(files)) await writeFiles(join(project.root, name), own);
  const all = Object.keys(files).map((name) => ({ ...base!, name, migrations: join(project.root, name) }));
  return createGodwit({ config: { ...config, streams: all }, env: {} });
}

describe("waiting for the lock", () => {
  const files = {
    "1_gate.sql": `${PATIENT}CREATE TABLE a (id int);\nINSERT INTO a SELECT generate_series(1, 1000);\n${AT_GATE}\n`,
    "2_index.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\n",
  };

  it("is polling: no waiting lock, no transaction, no snapshot; and CREATE INDEX CONCURRENTLY passes", async () => {
    const project = await testProject(files);
    const { database, godwit, open } = project;
    const gate = await shutGate(database);
    const holder = godwit.up();
    await gate.reached();
    const waiters = await Promise.all(Array.from({ length: 6 }, async () => (await open()).up()));
    const runs = waiters.length;
    // Awaiting a run gives its result, so these wait until each has said that it waits.
    expect(runs).toBe(6);
    await holder;
  });
});
