import type { RunResult, TargetRunResult } from "../../api/types.ts";
import { formatDuration } from "../../core/duration.ts";
import type { ViewContext } from "../verb.ts";
import { count } from "../reporters/statement-label.ts";
import { migrations } from "./words.ts";

export type RunVerbName = "up" | "down" | "redo" | "baseline";

function done(verb: RunVerbName, target: TargetRunResult): string {
  const up = target.migrations.filter(({ direction }) => direction === "up").length;
  const down = target.migrations.length - up;
  const there = target.migrations.reduce((sum, { tolerated }) => sum + tolerated.length, 0);
  const tolerated = there === 0 ? "" : `, ${count(there, "object")} there already`;
  return {
    up: `${migrations(up)} applied${tolerated}`,
    down: `${migrations(down)} taken back`,
    redo: `${migrations(down)} taken back, ${up} applied again`,
    baseline: `${migrations(up)} marked as applied, none was run`,
  }[verb];
}

const NOTHING: Readonly<Record<RunVerbName, string>> = {
  up: "nothing pending",
  down: "nothing to take back",
  redo: "nothing to do again",
  baseline: "nothing to mark: all of it is applied already",
};

/** How a run ended: one line a target, and a total where there are several. */
export function renderRunSummary(result: RunResult, verb: RunVerbName, context: ViewContext): string {
  const { style } = context;
  const several = result.targets.length > 1;
  const lines: string[] = [];
  for (const target of result.targets) {
    const name = several ? `${target.target}: ` : "";
    const time = style.dim(`in ${formatDuration(target.durationMs)}`);
    if (target.skipped !== null) {
      lines.push(`${style.yellow("-")} ${name}skipped: ${target.skipped}`);
    } else if (target.error !== null) {
      const kept = [
        target.migrations.length === 0 ? null : `${done(verb, target)} before that and kept`,
        target.unfinished === null ? null : `${target.unfinished} stopped on its way and waits to go on`,
      ].filter((part) => part !== null);
      const before = kept.length === 0 ? "nothing was changed" : kept.join("; ");
      lines.push(
        `${style.red("✗")} ${name}${several ? `${target.error.message}; ` : "failed; "}${before} ${time}`,
      );
    } else if (target.migrations.length === 0) {
      const where = several ? "" : style.dim(` on ${target.database}`);
      lines.push(`${style.green("✓")} ${name}${NOTHING[verb]}${where}`);
    } else {
      lines.push(`${style.green("✓")} ${name}${done(verb, target)} ${time}`);
    }
  }
  if (several && result.total > 0) {
    const failed = result.targets.filter(({ error }) => error !== null).length;
    const tail = failed === 0 ? "" : `, ${failed} of them failed`;
    lines.push(
      `${migrations(result.total)} on ${result.targets.length} targets${tail} ${style.dim(`in ${formatDuration(result.durationMs)}`)}`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}
