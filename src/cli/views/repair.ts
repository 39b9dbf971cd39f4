import type { RepairAction, RepairResult } from "../../api/types.ts";
import type { ViewContext } from "../verb.ts";

const DONE: Readonly<Record<RepairAction, string>> = {
  "accept-checksum": "its file counts as right as it is now",
  forget: "forgotten",
  "mark-applied": "marked as applied",
  "mark-not-applied": "marked as not applied",
  "mark-step-applied": "the step that it stopped at is marked as done",
  "mark-step-not-applied": "the step that it stopped at is marked as not done",
};

/** What was settled, and what still needs a person, each with the commands to choose from. */
export function renderRepair(
  result: RepairResult,
  action: RepairAction | undefined,
  context: ViewContext,
): string {
  const { style } = context;
  const lines = result.repaired.map(
    (each) => `${style.green("✓")} ${each.target}/${style.bold(each.id)}: ${DONE[each.action]}`,
  );
  if (result.repaired.length === 0 && action !== undefined) lines.push("nothing was changed");
  if (result.remaining.every(({ needsPerson }) => !needsPerson)) {
    lines.push(`${style.green("✓")} nothing needs repair`);
  }
  for (const choice of result.remaining) {
    if (lines.length > 0) lines.push("");
    const mark = choice.needsPerson ? style.red("✗") : style.cyan("·");
    lines.push(`${mark} ${choice.target}/${style.bold(choice.id)}: ${choice.explanation}`);
    for (const { command, effect } of choice.choices) {
      lines.push(`    ${style.cyan(command)}`, `      ${style.dim(effect)}`);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}
