import type { LockBlockersResult, LockTreeNode } from "../../api/types.ts";
import { formatDuration } from "../../core/duration.ts";
import { count, statementLabel } from "../reporters/statement-label.ts";
import { oneLine, truncate } from "../text-width.ts";
import type { ViewContext } from "../verb.ts";
import { applicationName } from "./words.ts";

function nameOf(node: LockTreeNode): string {
  const name =
    node.pid === null ? `prepared transaction '${node.preparedTransaction}'` : `backend ${node.pid}`;
  const kind = node.backendType === "client backend" ? null : node.backendType;
  const about = [
    node.user,
    node.application === null ? null : applicationName(node.application),
    kind,
  ].filter((part) => part !== null);
  return oneLine(about.length === 0 ? name : `${name} (${about.join(", ")})`);
}

function doing({ state, stateMs, transactionMs, waitsFor }: LockTreeNode): string {
  const parts: string[] = [];
  if (waitsFor !== null) {
    const time = waitsFor.waitedMs === null ? "" : ` ${formatDuration(waitsFor.waitedMs)}`;
    const waits =
      waitsFor.keptOut === null ? `waits${time}` : `${oneLine(waitsFor.keptOut)} stays out of the queue`;
    parts.push(`${waits} for ${waitsFor.mode} on ${oneLine(waitsFor.object)}`);
  } else if (state !== null) {
    parts.push(`${state}${stateMs === null ? "" : ` for ${formatDuration(stateMs)}`}`);
  }
  if (transactionMs !== null) parts.push(`transaction ${formatDuration(transactionMs)} old`);
  return parts.join(", ");
}

function renderNode(node: LockTreeNode, context: ViewContext): string[] {
  const { style, width } = context;
  const indent = "  ".repeat(node.depth + 1);
  const mark = node.depth === 0 ? style.red("●") : "└";
  const lines = [`${indent}${mark} ${style.bold(nameOf(node))} ${doing(node)}`.trimEnd()];
  const inner = `${indent}    `;
  const query = node.query === null ? "" : statementLabel(node.query);
  if (query !== "") {
    lines.push(
      `${inner}${style.dim(width === 0 ? query : truncate(query, Math.max(20, width - inner.length)))}`,
    );
  }
  if (node.circle) {
    lines.push(
      `${inner}${style.yellow("!")} a circle: it waits for one below it; the server ends a deadlock by itself`,
    );
  }
  if (node.remedy !== null) {
    for (const warning of node.remedy.warnings)
      lines.push(`${inner}${style.yellow("!")} ${oneLine(warning)}`);
    lines.push(`${inner}to end it: ${style.cyan(oneLine(node.remedy.sql))}`);
  }
  return lines;
}

/** Who waits for whom in each database, roots first, and what would end those that block. */
export function renderLockBlockers(result: LockBlockersResult, context: ViewContext): string {
  if (context.quiet) return "";
  const { style } = context;
  return result.databases
    .map(({ database, targets, tree }) => {
      const waiting = tree.filter(({ waitsFor }) => waitsFor !== null).length;
      const lines = [`${style.bold(targets.join(", "))}${style.dim(`: ${database}`)}`];
      lines.push(
        waiting === 0
          ? `  ${style.green("✓")} nobody waits for a lock`
          : `  ${count(waiting, "session")} ${waiting === 1 ? "waits" : "wait"} for a lock`,
        ...tree.flatMap((node) => renderNode(node, context)),
      );
      return lines.map((line) => `${line}\n`).join("");
    })
    .join("\n");
}
