import type { WaitResult } from "../../api/types.ts";
import { formatDuration } from "../../core/duration.ts";
import type { ViewContext } from "../verb.ts";

/** Whether what was waited for came, and what did not. */
export function renderWait(result: WaitResult, context: ViewContext): string {
  const { style } = context;
  const time = style.dim(`after ${formatDuration(result.waitedMs)}`);
  if (result.reached) return `${style.green("✓")} ready ${time}\n`;
  const lines = [`${style.red("✗")} not ready ${time}`];
  for (const { target, database, missing } of result.targets) {
    for (const id of missing) lines.push(`    ${target}/${id} is not applied on ${database}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}
