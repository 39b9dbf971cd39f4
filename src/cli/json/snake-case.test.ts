import { describe, expect, it } from "vitest";
import { GodwitError } from "../../core/error.ts";
import { snakeCase, toSnakeCase } from "./snake-case.ts";

describe("snake_case", () => {
  it.each([
    ["runId", "run_id"],
    ["executionMs", "execution_ms"],
    ["id", "id"],
    ["lockTimeoutMs", "lock_timeout_ms"],
    ["file_missing", "file_missing"],
  ])("%s becomes %s", (name, snake) => {
    expect(snakeCase(name)).toBe(snake);
  });

  it("goes as deep as the data, and leaves values and JSON of others alone", () => {
    expect(
      toSnakeCase({
        aB: [{ cD: "eF" }],
        details: { keepMe: { asIs: 1 } },
        none: undefined,
        nothing: null,
        big: 2n ** 60n,
      }),
    ).toEqual({
      a_b: [{ c_d: "eF" }],
      details: { keepMe: { asIs: 1 } },
      nothing: null,
      big: "1152921504606846976",
    });
  });

  it("writes errors out, without the excerpt and the stack", () => {
    const inner = new GodwitError("MIGRATION_MALFORMED", "second");
    const error = new GodwitError("MIGRATION_FAILED", "broken", {
      hint: "mend it",
      sqlstate: "42P01",
      location: { file: "a.sql", line: 3, column: 7, excerpt: "  | ^" },
      problems: [inner],
    });
    expect(toSnakeCase({ error })).toEqual({
      error: {
        code: "MIGRATION_FAILED",
        message: "broken",
        detail: null,
        hint: "mend it",
        location: { file: "a.sql", line: 3, column: 7 },
        sqlstate: "42P01",
        problems: [
          {
            code: "MIGRATION_MALFORMED",
            message: "second",
            detail: null,
            hint: null,
            location: null,
            sqlstate: null,
            problems: [],
          },
        ],
      },
    });
  });
});
