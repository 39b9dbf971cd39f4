import { exitStatusOf } from "../../core/error-codes.ts";
import type { GodwitError } from "../../core/error.ts";
import { errorToJson, toSnakeCase } from "./snake-case.ts";

/** A remark that did not stop the verb. */
export interface Warning {
  readonly target: string | null;
  readonly message: string;
  readonly hint: string | null;
}

export interface Outcome {
  readonly verb: string;
  readonly runId: string | null;
  /** What the verb returned; of a failed run what was done before it failed. */
  readonly data: unknown;
  readonly warnings: readonly Warning[];
  readonly error: GodwitError | null;
}

/** The one document that `--json` prints, with a trailing newline. `ok` holds exactly when `exit` is 0. */
export function renderEnvelope(outcome: Outcome): string {
  const { error } = outcome;
  let shown: Record<string, unknown> | null = null;
  if (error !== null) {
    const { code: _, ...rest } = errorToJson(error);
    shown = rest;
  }
  const document = {
    version: 1,
    verb: outcome.verb,
    ok: error === null,
    code: error === null ? "OK" : error.code,
    exit: error === null ? 0 : exitStatusOf(error.code),
    run_id: outcome.runId,
    data: toSnakeCase(outcome.data ?? null),
    warnings: outcome.warnings,
    error: shown,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
