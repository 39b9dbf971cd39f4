import { afterAll, describe, expect, it } from "vitest";
import type { LockStatusResult } from "../../../src/index.ts";
import { historyOf, tablesOf, testProject } from "../../support/project.ts";
import { testDatabase } from "../../support/postgres.ts";
import { haveRedis } from "../../support/redis.ts";
import { AT_GATE, nobodyLeft, PATIENT, shutGate } from "../safety/gate.ts";
import { Providers, type Provider } from "./world.ts";

const providers = new Providers();
afterAll(() => providers.stop());

const ALL: readonly Provider[] = haveRedis() ? ["advisory", "lease", "redis"] : ["advisory", "lease"];
const FILES = {
  "1_a.sql": "CREATE TABLE a (id int);\n",
  "2_gate.sql": `${PATIENT}CREATE TABLE gated ();\n${AT_GATE}\n`,
};

/** A process that holds the lock and waits at the gate. */
async function held(provider: Provider) {
  const database = await testDatabase();
  const project = await testProject(FILES, { database });
  const cli = await providers.commandLine(FILES, database, provider);
  const gate = await shutGate(database);
  const holder = cli.start(["up"]);
  await gate.reached();
  return { database, gate, holder, godwit: await providers.open(project, provider) };
}

/** Keys of locks that stand in Redis. */
async function keysOf(provider: Provider): Promise<string> {
  return provider === "redis" ? (await providers.redis()).command("KEYS", "*migration*") : "";
}

async function only(status: PromiseLike<LockStatusResult>) {
  return (await status).targets[0]!;
}

describe.each(ALL)("a lock by %s", (provider) => {
  it("is taken by force at once: the next run has it without waiting for a lease to end", async () => {
    const { godwit, gate, holder, database } = await held(provider);
    expect(await only(godwit.lockStatus())).toMatchObject({
      holding: "held",
      provider,
      holder: {
        command: "up",
        expiresAt: provider === "advisory" ? null : expect.any(String),
        activity: { state: "active", query: expect.stringContaining("pg_advisory_xact_lock_shared") },
        progress: { done: 1, remaining: 1, current: "2_gate" },
      },
    });
    const { before, released, endedBackends } = await godwit.lockRelease({ force: true, reason: "hangs" });
    expect({ released, endedBackends }).toEqual({
      released: "forced",
      endedBackends: [before.holder!.backendPid],
    });
    expect(await only(godwit.lockStatus())).toMatchObject({ holding: "free", token: before.token! + 1 });
    expect(await keysOf(provider)).toBe("");
    const { exit, stderr } = await holder.finished;
    expect(exit).toBe(4);
    expect(stderr).toMatch(/error\[LOCK_LOST\]: \S+@\S+ took Godwit's lock from this run by force: hangs/);
    expect(await tablesOf(database)).toEqual(["a"]);
    await gate.open();
    expect((await godwit.up({ lockWaitMs: 0 })).total).toBe(1);
    expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_a", "2_gate"]);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
    await nobodyLeft(database);
  });

  it("of a holder that is gone is tidied without force", async () => {
    const { godwit, holder, database } = await held(provider);
    holder.child.kill("SIGKILL");
    await holder.finished;
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'godwit%'`,
    );
    await nobodyLeft(database);
    expect(await only(godwit.lockStatus())).toMatchObject({
      holding: "stale",
      because: expect.stringMatching(/^backend \d+ is gone$/),
    });
    expect(await godwit.lockRelease()).toMatchObject({ released: "tidied" });
    expect((await only(godwit.lockStatus())).holding).toBe("free");
    expect(await keysOf(provider)).toBe("");
  });
});

describe("a lease whose holder is paused past its time", () => {
  it("is stale and tidied without force; the holder, awake again, begins anew, and all is applied once", async () => {
    const { godwit, gate, holder, database } = await held("lease");
    holder.child.kill("SIGSTOP");
    await expect
      .poll(async () => (await only(godwit.lockStatus())).because, { timeout: 20_000, interval: 200 })
      .toMatch(/expired \d+ s ago/);
    expect(await godwit.lockRelease()).toMatchObject({ released: "tidied" });
    expect(await tablesOf(database)).toEqual(["a"]);
    holder.child.kill("SIGCONT");
    await gate.reached();
    await gate.open();
    expect((await holder.finished).exit).toBe(0);
    expect((await historyOf(database)).map(({ id }) => id)).toEqual(["1_a", "2_gate"]);
    expect((await godwit.verify()).targets[0]).toMatchObject({ brokenAt: null });
  });
});
