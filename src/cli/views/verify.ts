import type { VerifyResult, VerifyTarget } from "../../api/types.ts";
import { groupDigits } from "../reporters/statement-label.ts";
import type { ViewContext } from "../verb.ts";

function renderTarget(target: VerifyTarget, context: ViewContext): string[] {
  const { style } = context;
  const good = style.green("✓");
  const lines = [`${style.bold(target.target)}${style.dim(`: ${target.database}`)}`];
  lines.push(
    target.brokenAt === null
      ? `  ${good} the log holds: ${groupDigits(target.entries)} ${target.entries === 1 ? "entry" : "entries"}, each follows from the one before`
      : `  ${style.red("✗")} the log was altered: entry ${target.brokenAt} does not follow from the one before${target.reason === null ? "" : ` (${target.reason})`}`,
  );
  if (target.changed.length + target.downChanged.length === 0)
    lines.push(`  ${good} no applied file was edited`);
  for (const id of target.changed) lines.push(`  ${style.red("✗")} edited since it was applied: ${id}`);
  for (const id of target.downChanged)
    lines.push(`  ${style.yellow("!")} its way down was edited; the stored one is what runs: ${id}`);
  for (const id of target.reformatted) lines.push(style.dim(`  · only comments or white space: ${id}`));
  for (const id of target.missing) lines.push(`  ${style.yellow("!")} applied, but its file is gone: ${id}`);
  if (target.changed.length + target.downChanged.length + target.missing.length > 0) {
    lines.push(`${style.dim("next:")} ${style.bold(context.next("repair"))}`);
  }
  return lines;
}

/** What was proved of each target, and what was not. */
export function renderVerify(result: VerifyResult, context: ViewContext): string {
  if (context.quiet) return "";
  return result.targets.map((target) => `${renderTarget(target, context).join("\n")}\n`).join("\n");
}
