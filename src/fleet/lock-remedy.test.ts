import { describe, expect, it } from "vitest";
import type { LockParty } from "../postgres/lock-waits.ts";
import { isGodwits, remedyFor, remedyForPrepared } from "./lock-remedy.ts";

const party: LockParty = {
  pid: 7,
  user: "shop",
  superuser: false,
  refusedTo: null,
  application: "psql",
  database: "shop",
  backendType: "client backend",
  state: "active",
  query: "SELECT 1",
  stateMs: 1,
  transactionMs: 1,
};

describe("what ends a session that blocks", () => {
  it.each([
    ["active", "SELECT pg_cancel_backend(7);"],
    ["fastpath function call", "SELECT pg_cancel_backend(7);"],
    ["idle in transaction", "SELECT pg_terminate_backend(7);"],
    ["idle in transaction (aborted)", "SELECT pg_terminate_backend(7);"],
    ["idle", "SELECT pg_terminate_backend(7);"],
  ])("in the state %s is %s", (state, sql) => {
    expect(remedyFor({ ...party, state })).toEqual({ sql, warnings: [] });
  });

  it.each<[Partial<LockParty>, RegExp, string]>([
    [{ superuser: true }, /superuser/, "cancel"],
    [
      { refusedTo: "Deploy" },
      /may not end it; as a superuser: GRANT pg_signal_backend TO "Deploy";$/,
      "cancel",
    ],
    [
      { backendType: "autovacuum worker", query: "autovacuum: VACUUM public.t (to prevent wraparound)" },
      /let it finish/,
      "cancel",
    ],
    [
      { backendType: "autovacuum worker", query: "autovacuum: ANALYZE public.t", state: null },
      /by itself/,
      "cancel",
    ],
    [{ backendType: "walsender", state: "active" }, /replication/, "terminate"],
    [{ backendType: "logical replication apply worker", state: null }, /replication/, "cancel"],
    [{ backendType: "logical replication launcher", state: null }, /replication/, "cancel"],
    [{ backendType: "pg_cron", state: null }, /no client: pg_cron/, "cancel"],
    [{ application: "godwit/6eac06d1/3/0197" }, /Godwit's own/, "cancel"],
    [{ state: null, query: null }, /may not see/, "terminate"],
  ])("warns of %j", (part, warning, act) => {
    const { sql, warnings } = remedyFor({ ...party, ...part });
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(sql).toBe(`SELECT pg_${act}_backend(7);`);
  });

  it("ends a prepared transaction by its name, in its own database", () => {
    const prepared = { gid: "it's", user: "shop", database: "shop", preparedMs: 1 };
    expect(remedyForPrepared(prepared, "shop")).toEqual({
      sql: "ROLLBACK PREPARED 'it''s';",
      warnings: [expect.stringContaining("only shop or a superuser")],
    });
    expect(remedyForPrepared(prepared, "other").warnings[0]).toContain("its own database, shop");
  });
});

it("tells sessions of Godwit's by their names", () => {
  expect(["godwit", "godwit watch", "godwit/6eac06d1/3/0197"].every(isGodwits)).toBe(true);
  expect(["godwits", "my godwit", "psql", null].some(isGodwits)).toBe(false);
});
