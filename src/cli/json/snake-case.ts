import { GodwitError } from "../../core/error.ts";

/** Keys whose values are the user's or the history's own JSON and are passed on untouched. */
const VERBATIM: ReadonlySet<string> = new Set(["details"]);

/** `executionMs` → `execution_ms`, `runId` → `run_id`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A GodwitError as it appears in JSON. Excerpts are for terminals and left out. */
export function errorToJson(error: GodwitError): Record<string, unknown> {
  const { location } = error;
  return {
    code: error.code,
    message: error.message,
    detail: error.detail ?? null,
    hint: error.hint ?? null,
    location:
      location === undefined ? null : { file: location.file, line: location.line, column: location.column },
    sqlstate: error.sqlstate ?? null,
    problems: error.problems.map(errorToJson),
  };
}

/** An object with its keys in snake_case; see toSnakeCase. */
export function snakeObject(value: object): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    copy[snakeCase(key)] = VERBATIM.has(key) ? inner : toSnakeCase(inner);
  }
  return copy;
}

/**
 * A copy of plain data with every key in snake_case, ready for JSON: errors become objects, bigint becomes a string
 * (a number in JSON loses digits above 2^53), keys without a value are left out.
 */
export function toSnakeCase(value: unknown): unknown {
  if (value instanceof GodwitError) return errorToJson(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(toSnakeCase);
  return typeof value === "object" && value !== null ? snakeObject(value) : value;
}
