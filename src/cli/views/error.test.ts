import { describe, expect, it } from "vitest";
import { GodwitError } from "../../core/error.ts";
import { interrupted } from "../../core/interrupt.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { asGodwitError, renderError } from "./error.ts";

const plain = viewContextOf();
const verbose = viewContextOf({ verbose: true });

describe("an error in the terminal", () => {
  it("says what, where, why and what to do", () => {
    const error = new GodwitError("MIGRATION_FAILED", 'relation "x" does not exist', {
      location: {
        file: "/project/migrations/1_a.sql",
        line: 4,
        column: 15,
        excerpt: "4 | SELECT * FROM x;\n  |               ^",
      },
      detail: "first\nsecond",
      sqlstate: "42P01",
      hint: "create it first, then: godwit up",
    });
    expect(renderError(error, plain)).toBe(`error[MIGRATION_FAILED]: relation "x" does not exist
  --> migrations/1_a.sql:4:15
  4 | SELECT * FROM x;
    |               ^
  detail: first
          second
  SQLSTATE: 42P01
  hint: create it first, then: godwit up
`);
  });

  it("lists what was found in one go, each with its place", () => {
    const problems = [1, 2].map(
      (line) =>
        new GodwitError("MIGRATION_MALFORMED", `fault ${line}`, {
          location: { file: "m/1.sql", line, column: 1 },
        }),
    );
    const shown = renderError(new GodwitError("MIGRATION_MALFORMED", "2 faults", { problems }), plain);
    expect(shown).toContain(
      "error[MIGRATION_MALFORMED]: 2 faults\n\n  error[MIGRATION_MALFORMED]: fault 1\n    --> m/1.sql:1:1\n",
    );
    expect(shown).toContain("m/1.sql:2:1");
  });

  it("shows a stack for a defect of ours, and only when asked", () => {
    const defect = asGodwitError(new TypeError("boom"));
    expect(defect.code).toBe("INTERNAL");
    expect(renderError(defect, plain)).toContain("--verbose");
    expect(renderError(defect, plain)).not.toContain("error.test.ts");
    expect(renderError(defect, verbose)).toContain("error.test.ts");
  });

  it("never shows our stack for a mistake of the user", () => {
    expect(renderError(new GodwitError("USAGE", "no"), verbose)).toBe("error[USAGE]: no\n");
  });

  it("takes being interrupted for no error", () => {
    expect(renderError(interrupted("SIGINT"), plain)).toBe(
      "interrupted\n  hint: the state is consistent; run the same command again\n",
    );
  });
});

describe("asGodwitError", () => {
  it("knows an abort by its signal's reason", () => {
    const reason = interrupted("SIGTERM");
    const abort = Object.assign(new Error("aborted"), { name: "AbortError" });
    expect(asGodwitError(abort, AbortSignal.abort(reason))).toBe(reason);
  });

  it.each([["text"], [undefined], [null]])("copes with %j being thrown", (thrown) => {
    expect(asGodwitError(thrown).code).toBe("INTERNAL");
  });
});
