import { afterAll, describe, expect, it } from "vitest";
import { failureOf, tablesOf, testProject } from "../../support/project.ts";
import { testDatabase } from "../../support/postgres.ts";
import { haveRedis, type RedisServer } from "../../support/redis.ts";
import { AT_GATE, nobodyLeft, PATIENT, shutGate } from "../safety/gate.ts";
import { lockRow, Providers } from "./world.ts";

const providers = new Providers();
afterAll(() => providers.stop());

const GATED = {
  "1_counter.sql": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);\n",
  "2_gate.sql": `${PATIENT}UPDATE counter SET n = n + 1;\n${AT_GATE}\n`,
  "3_index.sql": "CREATE INDEX CONCURRENTLY counter_n ON counter (n);\n",
};

/** What may become of a Redis while a run holds the lock, and what puts it right again. */
const LOSSES: readonly (readonly [
  string,
  (redis: RedisServer) => unknown,
  (redis: RedisServer) => unknown,
])[] = [
  ["flushed", (redis) => redis.flush(), () => undefined],
  ["killed and restarted empty", (redis) => redis.kill(), (redis) => redis.start()],
  ["paused", (redis) => redis.freeze(), (redis) => redis.thaw()],
  [
    "given to somebody else",
    (redis) => redis.command("SET", "migration_default_lock", "somebody"),
    (redis) => redis.flush(),
  ],
];

describe.skipIf(!haveRedis())("a lock by redis", () => {
  it.each(LOSSES)(
    "whose Redis is %s in the middle: no second apply, and the work goes on",
    async (_, lose, mend) => {
      const project = await testProject(GATED);
      const redis = await providers.redis();
      const gate = await shutGate(project.database);
      const holder = (await providers.open(project, "redis")).up();
      await gate.reached();
      await lose(redis);
      // Lets others through its gate, or nobody; the row of the lock does not.
      const other = await providers.open(project, "redis");
      const error = await other.up({ lockWaitMs: 6000 }).then(
        () => null,
        (reason: { code: string }) => reason.code,
      );
      expect(["LOCK_BUSY", "REDIS_UNREACHABLE"]).toContain(error);
      expect(await lockRow(project.database)).toMatchObject({ token: 1, leased: true });
      await mend(redis);
      await gate.open();
      expect((await holder).total).toBe(3);
      expect((await other.up()).total).toBe(0);
      expect(await project.database.query("SELECT n FROM counter")).toEqual([{ n: 1 }]);
      await redis.flush();
    },
  );

  it("is a key that anybody can see, named after the service, and is gone with the run", async () => {
    const database = await testDatabase();
    const cli = await providers.commandLine(GATED, database, "redis");
    const redis = await providers.redis();
    const gate = await shutGate(database);
    const holder = cli.start(["up"], { SERVICE_NAME: "betting" });
    await gate.reached();
    expect(await redis.command("KEYS", "*migration*")).toBe("migration_betting_lock");
    expect(await redis.command("GET", "migration_betting_lock")).toMatch(/^run [0-9a-f-]{36} on \S+$/);
    await gate.open();
    const { exit, stderr } = await holder.finished;
    expect(exit, stderr).toBe(0);
    expect(await redis.command("KEYS", "*migration*")).toBe("");
  });

  it("ends with the process: a killed holder's key runs out, and the next run goes on", async () => {
    const database = await testDatabase();
    const cli = await providers.commandLine(GATED, database, "redis");
    const redis = await providers.redis();
    const gate = await shutGate(database);
    const holder = cli.start(["up"]);
    await gate.reached();
    holder.child.kill("SIGKILL");
    await holder.finished;
    expect(await redis.command("KEYS", "*migration*")).toBe("migration_default_lock");
    const next = cli.start(["up"]);
    await gate.open();
    const { exit, stderr } = await next.finished;
    expect(exit, stderr).toBe(0);
    expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 1 }]);
    await nobodyLeft(database);
  });

  it("needs its Redis to begin: without it the run ends with 8 and nothing is migrated", async () => {
    const project = await testProject(GATED);
    const redis = await providers.redis();
    const godwit = await providers.open(project, "redis");
    await redis.kill();
    await failureOf(godwit.up(), "REDIS_UNREACHABLE");
    expect(await tablesOf(project.database)).toEqual([]);
    await redis.start();
    expect((await godwit.up()).total).toBe(3);
  });
});
