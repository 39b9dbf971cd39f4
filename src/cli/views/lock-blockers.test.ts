import { expect, it } from "vitest";
import type { LockTreeNode } from "../../api/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderLockBlockers } from "./lock-blockers.ts";

const root: LockTreeNode = {
  pid: 7,
  preparedTransaction: null,
  depth: 0,
  circle: false,
  user: "shop",
  application: "psql",
  database: "shop",
  backendType: "client backend",
  state: "idle in transaction",
  query: "-- a\nSELECT *\nFROM t",
  stateMs: 125_000,
  transactionMs: 126_000,
  godwit: false,
  waitsFor: null,
  remedy: { sql: "SELECT pg_terminate_backend(7);", warnings: ["mind this"] },
};
const waiter: LockTreeNode = {
  ...root,
  pid: 8,
  depth: 1,
  application: "godwit/6eac06d1/3/0197c2f41c3e7d2a9e3f25420d980768",
  state: "active",
  query: "ALTER TABLE t ADD x int",
  transactionMs: null,
  waitsFor: {
    mode: "AccessExclusiveLock",
    object: "t",
    waitedMs: 3200,
    keptOut: null,
    pids: [7],
    preparedTransactions: [],
  },
  remedy: null,
};

function shown(...tree: LockTreeNode[]): string {
  return renderLockBlockers(
    { databases: [{ database: "shop on localhost", targets: ["a", "b"], tree }] },
    viewContextOf(),
  );
}

it("is a tree with what ends its roots", () => {
  expect(shown(root, waiter)).toBe(`a, b: shop on localhost
  1 session waits for a lock
  ● backend 7 (shop, psql) idle in transaction for 2 min 5 s, transaction 2 min 6 s old
      SELECT * FROM t
      ! mind this
      to end it: SELECT pg_terminate_backend(7);
    └ backend 8 (shop, godwit, run 25420d980768) waits 3.2 s for AccessExclusiveLock on t
        ALTER TABLE t ADD x int
`);
});

it("says of a migration that it stays out of the queue", () => {
  const waitsFor = { ...waiter.waitsFor!, waitedMs: null, keptOut: "2_b" };
  expect(shown(root, { ...waiter, query: null, waitsFor })).toContain(
    "    └ backend 8 (shop, godwit, run 25420d980768) 2_b stays out of the queue for AccessExclusiveLock on t\n",
  );
});

it("names prepared transactions and workers, and says what a circle is", () => {
  const gone = {
    user: null,
    application: null,
    state: null,
    query: null,
    stateMs: null,
    transactionMs: null,
  };
  const tree = shown(
    {
      ...root,
      ...gone,
      pid: null,
      preparedTransaction: "order 1",
      backendType: null,
      state: "prepared",
      stateMs: 500,
    },
    { ...waiter, backendType: "autovacuum worker", circle: true, application: null },
    { ...waiter, ...gone, pid: 9, backendType: null, waitsFor: { ...waiter.waitsFor!, waitedMs: null } },
  );
  expect(tree).toContain("  ● prepared transaction 'order 1' prepared for 500 ms\n");
  expect(tree).toContain("    └ backend 8 (shop, autovacuum worker) waits");
  expect(tree).toContain("        ! a circle: it waits for one below it");
  expect(tree).toContain("    └ backend 9 waits for AccessExclusiveLock on t\n");
});

it("says that nobody waits", () => {
  expect(shown()).toBe("a, b: shop on localhost\n  ✓ nobody waits for a lock\n");
});
