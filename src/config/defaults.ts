import { GodwitError } from "../core/error.ts";
import type { LockConfig, SafetyConfig } from "./types.ts";

/** What a stream may be called; it stands in ids (`<stream>/<id>`), in paths and in the history. */
export const STREAM_NAME = /^[a-z][a-z0-9_-]{0,62}$/;
export const STREAM_NAME_RULE = "a name has 1 to 63 of a-z, 0-9, _ and -, and begins with a letter";

export const DEFAULT_MIGRATIONS = "migrations";
export const DEFAULT_HISTORY_SCHEMA = "godwit";
export const DEFAULT_LOCK: LockConfig = { provider: "auto", redis: null, leaseMs: 15_000 };
export const DEFAULT_SAFETY: SafetyConfig = {
  lockTimeoutMs: 500,
  statementTimeoutMs: 0,
  maxBlockingMs: 2000,
  patientTimeoutMs: 3_600_000,
  cancelBlockersAfterMs: 0,
  terminateBlockersAfterMs: 0,
  tolerateExisting: false,
};

/**
 * The name of a stream that no configuration names: `SERVICE_NAME` of the environment, else `default`.
 * @throws GodwitError CONFIG_INVALID when SERVICE_NAME cannot name one; guessing another would start a second history.
 */
export function implicitStreamName(env: Readonly<Record<string, string | undefined>>): string {
  const name = env["SERVICE_NAME"]?.trim() ?? "";
  if (name === "") return "default";
  if (!STREAM_NAME.test(name)) {
    throw new GodwitError("CONFIG_INVALID", `SERVICE_NAME is "${name}", which cannot name a stream`, {
      hint: `${STREAM_NAME_RULE}; change the variable, or name the stream in godwit.config.yaml`,
    });
  }
  return name;
}
