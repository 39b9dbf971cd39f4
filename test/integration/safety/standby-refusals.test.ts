import { afterAll, beforeAll, expect, it } from "vitest";
import type { LaunchedServer } from "../../../src/postgres/embedded/launch.ts";
import { sqlstateOf } from "../../../src/postgres/database-error.ts";
import { verdictOf } from "../../../src/postgres/error-verdict.ts";
import { withClient } from "../../support/postgres.ts";
import { startStandby } from "../../support/standby-server.ts";

let standby: LaunchedServer;
beforeAll(async () => {
  standby = await startStandby();
});
afterAll(() => standby.stop());

async function refusal(sql: string): Promise<unknown> {
  return withClient(standby.conninfo, async (client) =>
    client.query(sql).then(
      () => null,
      (error: unknown) => error,
    ),
  );
}

it.each([
  "CREATE SCHEMA godwit",
  "BEGIN; CREATE SCHEMA godwit",
  "SET default_transaction_read_only = off; CREATE TABLE t ()",
  "CREATE INDEX CONCURRENTLY i ON pg_class (relname)",
  "VACUUM pg_am",
  "LOCK TABLE pg_am IN ACCESS EXCLUSIVE MODE",
  "SELECT FROM pg_am FOR UPDATE",
  "SELECT txid_current()",
])("a standby refuses %s with 25006, which passes", async (sql) => {
  const error = await refusal(sql);
  expect(sqlstateOf(error)).toBe("25006");
  expect(verdictOf(error)).toBe("retry");
});

it.each(["SELECT pg_try_advisory_lock(1), pg_advisory_unlock(1)", "RESET ALL; DEALLOCATE ALL; CLOSE ALL"])(
  "a standby does %s, which says nothing of whether it takes writes",
  async (sql) => {
    expect(await refusal(sql)).toBeNull();
  },
);

it("a standby refuses to begin a transaction that writes with 0A000, so that it is asked what it is before", async () => {
  const error = await refusal("BEGIN READ WRITE");
  expect(sqlstateOf(error)).toBe("0A000");
  expect(verdictOf(error)).toBe("stop");
});

it("a standby refuses what concerns a primary alone with 55000, and no statement of Godwit meets that", async () => {
  const error = await refusal("SELECT pg_create_restore_point('here')");
  expect(sqlstateOf(error)).toBe("55000");
  expect(verdictOf(error)).toBe("stop");
});
