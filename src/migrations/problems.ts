import type { ErrorCode } from "../core/error-codes.ts";
import { GodwitError, type Location } from "../core/error.ts";
import { excerpt } from "../sql/excerpt.ts";
import type { SqlProblem } from "../sql/types.ts";

/** A place in a text of a file, with the excerpt that an error shows. */
export function locate(file: string, text: string, line: number, column: number): Location {
  return { file, line, column, excerpt: excerpt(text, line, column) };
}

/** Turns faults found in a file's text into errors that name the place. */
export function toProblems(file: string, text: string, faults: readonly SqlProblem[]): GodwitError[] {
  return faults.map(
    (fault) =>
      new GodwitError("MIGRATION_MALFORMED", fault.message, {
        ...(fault.hint === null ? {} : { hint: fault.hint }),
        location: locate(file, text, fault.line, fault.column),
      }),
  );
}

/**
 * Ends the command when malformed files were found, with everything found in one go.
 * @throws GodwitError the problem itself if there is one; otherwise one MIGRATION_MALFORMED with all of them as `problems`
 *   (MIGRATION_FOREIGN_FORMAT when every one of them is of that code).
 */
export function assertNoProblems(problems: readonly GodwitError[]): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  const code: ErrorCode = problems.every((problem) => problem.code === "MIGRATION_FOREIGN_FORMAT")
    ? "MIGRATION_FOREIGN_FORMAT"
    : "MIGRATION_MALFORMED";
  throw new GodwitError(code, `${problems.length} problems in the migration files; nothing was run`, {
    hint: "correct them and run the same command again",
    problems,
  });
}
