import { describe, expect, it } from "vitest";
import type { Section } from "../migrations/types.ts";
import { NO_LOCKS } from "../sql/locks/types.ts";
import type { Statement } from "../sql/types.ts";
import { assertResumable, stepHash, stepsOf } from "./steps.ts";

function statement(ordinal: number, extra: Partial<Statement> = {}): Statement {
  return {
    ordinal,
    sql: `s${ordinal}`,
    line: ordinal,
    column: 1,
    tag: "CREATE TABLE",
    transaction: "inside",
    transactionReason: null,
    hash: `sha256:${ordinal}`,
    sessionEffect: null,
    patient: false,
    directives: [],
    catalogCheck: null,
    quick: false,
    locks: NO_LOCKS,
    ...extra,
  } as Statement;
}
function section(statements: Statement[], transaction = true): Section {
  return { sql: "", statements, checksum: "", transaction };
}
function shape(statements: Statement[], options: { transaction?: boolean; alone?: number[] } = {}): unknown {
  return stepsOf(section(statements, options.transaction ?? true), new Set(options.alone ?? [])).map((step) =>
    step.kind === "transaction"
      ? step.statements.map((s) => s.ordinal)
      : step.kind === "standalone"
        ? `alone ${step.statement.ordinal}`
        : "code",
  );
}

describe("stepsOf", () => {
  it("keeps neighbours in one transaction and lets stand alone what must", () => {
    expect(shape([statement(1), statement(2), statement(3, { transaction: "alone" }), statement(4)])).toEqual(
      [[1, 2], "alone 3", [4]],
    );
  });
  it("ends a transaction behind ADD VALUE", () => {
    expect(shape([statement(1), statement(2, { transaction: "ends" }), statement(3)])).toEqual([[1, 2], [3]]);
  });
  it("takes the catalog's word", () => {
    expect(shape([statement(1), statement(2)], { alone: [2] })).toEqual([[1], "alone 2"]);
  });
  it("makes every statement a step where the file wants no transaction", () => {
    expect(
      shape([statement(1), statement(2), statement(3, { tag: "CALL" })], { transaction: false }),
    ).toEqual([[1], [2], "alone 3"]);
  });
});

describe("assertResumable", () => {
  it("allows session state in the last step and refuses it before", () => {
    const temporary = statement(1, { sessionEffect: "temporary" });
    const alone = statement(2, { transaction: "alone" });
    expect(() =>
      assertResumable(stepsOf(section([temporary, statement(2)]), new Set()), "a.sql"),
    ).not.toThrow();
    expect(() => assertResumable(stepsOf(section([temporary, alone]), new Set()), "a.sql")).toThrow(
      /another session/,
    );
    expect(() =>
      assertResumable(stepsOf(section([statement(1, { sessionEffect: "set" }), alone]), new Set()), "a.sql"),
    ).not.toThrow();
  });
});

describe("stepHash", () => {
  it("differs with any statement and with their order", () => {
    const hashOf = (...ordinals: number[]): string =>
      stepHash({ kind: "transaction", ordinal: 1, statements: ordinals.map((o) => statement(o)) }, "");
    expect(new Set([hashOf(1, 2), hashOf(2, 1), hashOf(1), hashOf(1, 2, 3)]).size).toBe(4);
  });
});
