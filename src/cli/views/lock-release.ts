import type { LockReleaseResult } from "../../api/types.ts";
import { oneLine } from "../text-width.ts";
import type { ViewContext } from "../verb.ts";
import { holderName } from "./lock-status.ts";

/** What became of the lock. */
export function renderLockRelease(result: LockReleaseResult, context: ViewContext): string {
  const { style } = context;
  const { before, endedBackends, target } = result;
  const good = style.green("✓");
  if (result.released === "nothing") {
    return `${good} nothing to release: the lock of ${style.bold(target)} is free ${style.dim(`(${oneLine(before.because)})`)}\n`;
  }
  if (result.released === "tidied") {
    return `${good} tidied the lock of ${style.bold(target)}: ${oneLine(before.because)}\n`;
  }
  const holder = before.holder === null ? "its holder" : holderName(before.holder);
  const ended = endedBackends.map((pid) => `backend ${pid}`).join(", ");
  const lines = [
    `${good} took the lock of ${style.bold(target)} from ${holder}`,
    ended === ""
      ? "    it had no session here; it can commit nothing any more"
      : `    ended ${ended}; what it had not committed is rolled back`,
    `${style.dim("next:")} ${style.bold(context.next("status"))}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}
