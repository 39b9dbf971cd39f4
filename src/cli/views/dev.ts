import type { DevStatus } from "../../api/types.ts";
import type { ViewContext } from "../verb.ts";
import { shownPath } from "./path.ts";

/** Whether the project's own server runs, and where. */
export function renderDevStatus(status: DevStatus, context: ViewContext): string {
  const { style } = context;
  const folder = shownPath(status.directory, context.cwd);
  if (!status.running) return `${style.dim("·")} not running ${style.dim(`(${folder})`)}\n`;
  const lines = [`${style.green("✓")} running as process ${status.pid ?? "?"} ${style.dim(`(${folder})`)}`];
  if (status.url !== null) lines.push(`  ${status.url}`);
  return lines.map((line) => `${line}\n`).join("");
}

/** What `dev stop` did. */
export function renderDevStopped(
  result: { readonly stopped: boolean; readonly pid: number | null },
  { style }: ViewContext,
): string {
  return result.stopped
    ? `${style.green("✓")} stopped ${style.dim(`process ${result.pid ?? "?"}`)}\n`
    : `${style.dim("·")} was not running\n`;
}
