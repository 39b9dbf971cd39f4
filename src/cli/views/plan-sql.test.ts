import { describe, expect, it } from "vitest";
import type { PlannedMigration, PlanStep } from "../../plan/types.ts";
import { NO_LOCKS } from "../../sql/locks/types.ts";
import type { Statement } from "../../sql/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderPlan, renderPlanSummary } from "./plan-sql.ts";

function statement(ordinal: number, sql: string, transactionReason: string | null = null): Statement {
  return {
    ordinal,
    sql,
    line: ordinal,
    column: 1,
    tag: "X",
    transaction: transactionReason === null ? "inside" : "alone",
    transactionReason,
    commits: false,
    hash: "sha256:0",
    sessionEffect: null,
    patient: transactionReason !== null,
    directives: [],
    catalogCheck: null,
    quick: false,
    locks: NO_LOCKS,
  };
}

function planned(steps: readonly PlanStep[], more: Partial<PlannedMigration> = {}): PlannedMigration {
  return {
    id: "1_orders",
    kind: "versioned",
    format: "sql",
    direction: "up",
    reason: "pending",
    description: "",
    path: "/project/migrations/1_orders.sql",
    checksum: "sha256:0",
    downChecksum: null,
    upSql: "",
    downSql: null,
    requires: [],
    irreversible: null,
    statementHashes: [],
    modulePath: null,
    resume: null,
    lockTimeoutMs: 500,
    statementTimeoutMs: 0,
    tolerateExisting: false,
    steps,
    ...more,
  };
}

function plan(...migrations: readonly PlannedMigration[]) {
  return {
    plans: [
      {
        stream: "shop",
        target: "shop",
        targetSchema: "",
        direction: "up" as const,
        migrations,
        warnings: [],
        database: "shop on 127.0.0.1:5432",
        historySchema: "godwit",
      },
    ],
  };
}

const table: PlanStep = {
  kind: "transaction",
  ordinal: 1,
  statements: [statement(1, "CREATE TABLE orders (id int)"), statement(2, "INSERT INTO orders VALUES (1)")],
};
const index: PlanStep = {
  kind: "standalone",
  ordinal: 2,
  statement: statement(
    3,
    "CREATE INDEX CONCURRENTLY o ON orders (id)",
    "CONCURRENTLY cannot run in a transaction",
  ),
};

describe("the SQL of a plan", () => {
  it("shows transactions, settings and the history of each migration", () => {
    expect(renderPlan(plan(planned([table])), viewContextOf()))
      .toBe(`-- shop (shop on 127.0.0.1:5432): 1 migration to apply

-- 1/1 up 1_orders
-- migrations/1_orders.sql; pending
BEGIN;
SET LOCAL lock_timeout = 500; -- ms
CREATE TABLE orders (id int);
INSERT INTO orders VALUES (1);
-- history: 1_orders is applied
COMMIT;
`);
  });

  it("shows warnings as comments, of one line each", () => {
    const [one] = plan().plans;
    const warnings = [{ message: "mind\nthis", hint: "type this\nor that" }];
    expect(renderPlan({ plans: [{ ...one!, warnings }] }, viewContextOf())).toMatch(
      /nothing to do\n-- ! mind.*this\n-- {3}type this\n-- {3}or that\n$/,
    );
  });

  it("says where what is there already is tolerated", () => {
    const shown = renderPlan(plan(planned([table], { tolerateExisting: true })), viewContextOf());
    expect(shown).toContain(`-- migrations/1_orders.sql; pending
-- what is there already is tolerated, if it equals what the file makes
BEGIN;
`);
  });

  it("marks what stands alone, and gives CONCURRENTLY no lock_timeout", () => {
    const shown = renderPlan(plan(planned([table, index], { statementTimeoutMs: 60_000 })), viewContextOf());
    expect(shown).toContain(`-- history: step 1 of 2 of 1_orders is done
COMMIT;

-- stands alone, outside a transaction: CONCURRENTLY cannot run in a transaction
-- history: step 2 of 2 of 1_orders is intended
SET lock_timeout = 0; -- ms
SET statement_timeout = 60000; -- ms
CREATE INDEX CONCURRENTLY o ON orders (id);
-- history: 1_orders is applied
`);
  });

  it("leaves out what an earlier run did", () => {
    const resumed = planned([table, index], {
      resume: { done: 1, next: "intended", begun: null },
      reason: "half applied",
    });
    const shown = renderPlan(plan(resumed), viewContextOf());
    expect(shown).toContain("-- step 1 of 2 was done by an earlier run");
    expect(shown).not.toContain("CREATE TABLE");
    expect(shown).toContain("the catalog is asked first");
  });

  it("names the function of a code migration", () => {
    const code = planned([{ kind: "code", ordinal: 1, transaction: true }], { format: "code" });
    expect(renderPlan(plan(code), viewContextOf())).toContain("-- runs the function `up` of");
  });

  it("says when there is nothing to do", () => {
    expect(renderPlan(plan(), viewContextOf())).toBe("-- shop (shop on 127.0.0.1:5432): nothing to do\n");
    expect(renderPlanSummary(plan())).toBe("nothing to do\n");
    expect(renderPlanSummary(plan(planned([table])))).toBe("1 migration planned; nothing was run\n");
  });
});
