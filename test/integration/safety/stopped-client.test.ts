import { expect, it, onTestFinished } from "vitest";
import { beginHistory } from "../../../src/history/upgrade.ts";
import { advisoryGate } from "../../../src/lock/advisory-gate.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { openSession, type Session } from "../../../src/postgres/session.ts";
import { testDatabase } from "../../support/postgres.ts";

const SCOPE = { schema: "godwit", stream: "default", targetSchema: "" };

/** A session with limits of its role that are of no use to one whom others wait for. */
async function roleLimits(): Promise<Session> {
  const database = await testDatabase();
  await database.query(
    `ALTER DATABASE ${database.name} SET idle_session_timeout = 0; ALTER DATABASE ${database.name} SET idle_in_transaction_session_timeout = '100ms'`,
  );
  const settings = await resolveConnection({ conninfo: database.url }, {});
  const session = await openSession(settings, { applicationName: "test" });
  onTestFinished(() => session.close());
  return session;
}

async function setting(session: Session, name: string): Promise<string | null | undefined> {
  return (await session.rows(`SELECT pg_catalog.current_setting('${name}') AS value`))[0]?.value;
}

it("a client that is stopped while it has the advisory lock loses it with its session", async () => {
  const session = await roleLimits();
  const gate = advisoryGate(session, SCOPE);
  expect(await gate.tryEnter()).toBe(true);
  expect(await setting(session, "idle_session_timeout")).toBe("10min");
  // From then on it may wait for others as long as it takes.
  await gate.leave();
  expect(await setting(session, "idle_session_timeout")).toBe("0");
});

it("one that waits for the lock has no such limit", async () => {
  const holder = await roleLimits();
  const waiter = await openSession(holder.settings, { applicationName: "test" });
  onTestFinished(() => waiter.close());
  expect(await advisoryGate(holder, SCOPE).tryEnter()).toBe(true);
  expect(await advisoryGate(waiter, SCOPE).tryEnter()).toBe(false);
  expect(await setting(waiter, "idle_session_timeout")).toBe("0");
});

it("a client that is stopped while it creates the history makes way for others", async () => {
  const session = await roleLimits();
  const history = beginHistory(session, SCOPE, "test");
  expect(await history.isMade()).toBe(true);
  expect(await setting(session, "idle_in_transaction_session_timeout")).toBe("10min");
  await history.rollBack();
});
