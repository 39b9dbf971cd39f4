import type { MigrationFlag, MigrationStatusRow, StatusResult, TargetStatus } from "../../api/types.ts";
import { groupDigits } from "../reporters/statement-label.ts";
import { type Cell, type Column, renderTable } from "../table.ts";
import { oneLine } from "../text-width.ts";
import type { ViewContext } from "../verb.ts";
import { ago, exactTime, maybeDuration } from "./words.ts";

const COLUMNS: readonly Column[] = [
  { drop: 0 },
  { drop: 0, shrink: true },
  { drop: 0 },
  { drop: 2 },
  { drop: 3, align: "right" },
  { drop: 1, shrink: true },
];

const FLAG_WORDS: Readonly<Record<MigrationFlag, string>> = {
  baseline: "baseline",
  file_missing: "file missing",
  file_changed: "file changed",
  file_reformatted: "file reformatted",
  out_of_order: "out of order",
  rolled_back: "taken back",
  half_taken_back: "half taken back",
  down_changed: "down changed",
  superseded: "superseded",
};
const ALARMING: ReadonlySet<MigrationFlag> = new Set(["file_missing", "file_changed"]);
const FOLD_ABOVE = 40;
const KEEP_APPLIED = 10;

function row(migration: MigrationStatusRow, context: ViewContext): Cell[] {
  const { style } = context;
  const { state, flags, appliedAt } = migration;
  const alarming = flags.some((flag) => ALARMING.has(flag));
  const mark: Cell = {
    applied: alarming ? { text: "!", paint: style.yellow } : { text: "✓", paint: style.green },
    pending: { text: "·", paint: style.cyan },
    failed: { text: "✗", paint: style.red },
    half_applied: { text: "✗", paint: style.red },
  }[state];
  const words: Cell = {
    applied: { text: appliedAt === null ? "applied" : ago(appliedAt, context.now) },
    pending: { text: "pending", paint: style.cyan },
    failed: { text: "failed", paint: style.red },
    half_applied: { text: "half applied", paint: style.red },
  }[state];
  const kind = migration.kind === "repeatable" ? ["repeatable"] : [];
  return [
    { text: `  ${mark.text}`, ...(mark.paint === undefined ? {} : { paint: mark.paint }) },
    { text: oneLine(migration.id), ...(state === "applied" ? {} : { paint: style.bold }) },
    words,
    { text: appliedAt === null ? "" : exactTime(appliedAt), paint: style.dim },
    { text: maybeDuration(migration.executionMs), paint: style.dim },
    {
      text: [...kind, ...flags.map((flag) => FLAG_WORDS[flag])].join(", "),
      paint: alarming ? style.yellow : style.dim,
    },
  ];
}

/** On a terminal a long list is cut to what matters: what is not plainly applied, and the last applied. */
function folded(
  rows: readonly MigrationStatusRow[],
  all: boolean,
): { shown: MigrationStatusRow[]; hidden: number } {
  if (all || rows.length <= FOLD_ABOVE) return { shown: [...rows], hidden: 0 };
  const plain = rows.filter(
    ({ state, flags }) => state === "applied" && !flags.some((flag) => ALARMING.has(flag)),
  );
  const hide = new Set(plain.slice(0, -KEEP_APPLIED));
  return { shown: rows.filter((each) => !hide.has(each)), hidden: hide.size };
}

function summary({ counts, migrations }: TargetStatus): string {
  const half = migrations.filter(({ state }) => state === "half_applied").length;
  const parts = [`${groupDigits(counts.applied)} applied`, `${groupDigits(counts.pending)} pending`];
  const failed = counts.failed - half;
  if (failed > 0) parts.push(`${failed} failed`);
  if (half > 0) parts.push(`${half} half applied`);
  if (counts.changed > 0) parts.push(`${counts.changed} changed`);
  if (counts.missing > 0) parts.push(`${counts.missing} whose file is gone`);
  return parts.join(", ");
}

function nextSteps(target: TargetStatus, context: ViewContext): string[] {
  if (target.code !== "OK" && target.code !== "PENDING") return [context.next("repair")];
  const isGone = target.migrations.some(
    ({ kind, state, flags }) => kind === "versioned" && state === "applied" && flags.includes("file_missing"),
  );
  const repair = isGone ? [context.next("repair")] : [];
  if (target.code === "OK") return repair;
  // Until its taking back is finished, nothing else may run.
  const back = target.migrations.some(({ flags }) => flags.includes("half_taken_back"));
  return [context.next(back ? "down" : "up"), ...repair];
}

function renderTarget(target: TargetStatus, context: ViewContext, all: boolean): string[] {
  const { style } = context;
  const lines = [
    `${style.bold(target.target)}${style.dim(`: ${target.database}, ${target.server}${target.historyVersion === null ? ", no history yet" : ""}`)}`,
  ];
  if (target.lockedBy !== null) lines.push(style.yellow(`  a run is at work: ${oneLine(target.lockedBy)}`));
  const { shown, hidden } = folded(target.migrations, all || context.width === 0);
  if (hidden > 0) lines.push(style.dim(`  … ${groupDigits(hidden)} more applied; \`--all\` lists them`));
  const table = renderTable(
    COLUMNS,
    shown.map((migration) => row(migration, context)),
    context.width,
  );
  for (const [at, line] of table.entries()) {
    lines.push(line);
    const error = shown[at]!.error;
    if (error !== null) lines.push(style.red(`       ${oneLine(error)}`));
  }
  lines.push("", summary(target));
  for (const next of nextSteps(target, context)) lines.push(`${style.dim("next:")} ${style.bold(next)}`);
  return lines;
}

/** The state of each target: a line a migration, a line of totals, and what to type next. */
export function renderStatus(result: StatusResult, context: ViewContext, all: boolean): string {
  if (context.quiet) return "";
  return result.targets.map((target) => `${renderTarget(target, context, all).join("\n")}\n`).join("\n");
}
