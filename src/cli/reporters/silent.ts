import type { Reporter } from "./reporter.ts";

const nothing = () => {};

/** Tells nothing: for `--json` without `--log`. */
export function silentReporter(): Reporter {
  return { event: nothing, error: nothing, remark: nothing, close: nothing };
}
