import type { ErrorCode } from "./error-codes.ts";

/** A place in a file. Line and column are 1-based; the column counts characters as an editor does. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The source lines around the place with a caret under it, ready to print; no trailing newline. */
  readonly excerpt?: string;
}

export interface GodwitErrorOptions {
  /** What to do about it; ends with the exact command to type where there is one. */
  readonly hint?: string;
  readonly location?: Location;
  /** The five-character code of PostgreSQL (manual, appendix A) when the server reported the error. */
  readonly sqlstate?: string;
  /** The server's DETAIL, or further lines that explain the message. */
  readonly detail?: string;
  /** Several independent errors found in one go; the message then sums them up. */
  readonly problems?: readonly GodwitError[];
  readonly cause?: unknown;
  /** What was done before it failed, in the shape the verb returns when it succeeds. */
  readonly result?: unknown;
}

/**
 * Marks every GodwitError. The command line and the library are bundled apart, so that code which imports the library
 * while the command line runs it has another copy of the class: the mark makes `instanceof` see through that.
 */
const MARK: unique symbol = Symbol.for("godwit.error") as never;

/**
 * The one error class. `code` is stable, has a page in docs/errors and decides the exit status.
 * Messages never contain secrets: connection strings are redacted before they get here.
 */
export class GodwitError extends Error {
  override readonly name = "GodwitError";
  readonly [MARK] = true;
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly location: Location | undefined;
  readonly sqlstate: string | undefined;
  readonly detail: string | undefined;
  readonly problems: readonly GodwitError[];
  readonly result: unknown;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && MARK in value;
  }

  constructor(code: ErrorCode, message: string, options: GodwitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.location = options.location;
    this.sqlstate = options.sqlstate;
    this.detail = options.detail;
    this.problems = options.problems ?? [];
    this.result = options.result;
  }
}

/** Whether a caught value is a GodwitError, optionally of one code. */
export function isGodwitError(value: unknown, code?: ErrorCode): value is GodwitError {
  return value instanceof GodwitError && (code === undefined || value.code === code);
}
