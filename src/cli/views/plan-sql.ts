import type { PlanResult } from "../../api/types.ts";
import { isPatientStep } from "../../plan/patient-step.ts";
import type { PlannedMigration, PlanStep } from "../../plan/types.ts";
import type { Statement } from "../../sql/types.ts";
import { tellingDescription } from "../reporters/statement-label.ts";
import type { Style } from "../style.ts";
import { oneLine } from "../text-width.ts";
import type { ViewContext } from "../verb.ts";
import { shownPath } from "./path.ts";
import { migrations } from "./words.ts";

type Shown = PlanResult["plans"][number];

/** A finite lock_timeout would only give up what waits without disturbing anybody, and leave CONCURRENTLY half done. */
function settings(migration: PlannedMigration, step: PlanStep, local: boolean): string[] {
  const set = local ? "SET LOCAL" : "SET";
  const lines = [`${set} lock_timeout = ${isPatientStep(step) ? 0 : migration.lockTimeoutMs}; -- ms`];
  if (migration.statementTimeoutMs > 0) {
    lines.push(`${set} statement_timeout = ${migration.statementTimeoutMs}; -- ms`);
  }
  return lines;
}

/** Weak locks that any query takes are not worth a line. */
const WEAK = new Set(["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE"]);

/** A line for each mode of lock that the statement takes on what is there. */
function locksOf({ locks }: Statement, style: Style): string[] {
  const objects = (locks.objects ?? []).filter(({ mode }) => !WEAK.has(mode));
  const lines = [...new Set(objects.map(({ mode }) => mode))].map((mode) => {
    const own = objects.filter((one) => one.mode === mode);
    const names = own.map(({ relation }) => relation).join(", ");
    const line = `-- locks ${names}: ${mode}`;
    const { blocks } = own[0]!;
    return blocks === "nothing" ? style.dim(line) : style.yellow(`${line}, which blocks ${blocks}`);
  });
  return locks.objects === null || locks.unknown === null
    ? lines
    : [...lines, style.dim(`-- may lock more: ${locks.unknown}`)];
}

function renderStep(
  step: PlanStep,
  migration: PlannedMigration,
  last: boolean,
  of: number,
  style: Style,
): string[] {
  const direction = migration.direction === "up" ? "applied" : "rolled back";
  const record = style.dim(
    last
      ? `-- history: ${migration.id} is ${direction}`
      : `-- history: step ${step.ordinal} of ${of} of ${migration.id} is done`,
  );
  if (step.kind === "transaction") {
    return [
      "BEGIN;",
      ...settings(migration, step, true),
      ...step.statements.flatMap((statement) => [...locksOf(statement, style), `${statement.sql};`]),
      record,
      "COMMIT;",
    ];
  }
  if (step.kind === "standalone") {
    const { sql, transactionReason } = step.statement;
    return [
      style.yellow(`-- stands alone, outside a transaction: ${transactionReason ?? "asked for by the file"}`),
      style.dim(`-- history: step ${step.ordinal} of ${of} of ${migration.id} is intended`),
      ...settings(migration, step, false),
      ...locksOf(step.statement, style),
      `${sql};`,
      record,
    ];
  }
  const what = style.yellow(
    `-- runs the function \`${migration.direction}\` of ${migration.path ?? migration.id}${step.transaction ? "" : ", outside a transaction"}`,
  );
  return step.transaction
    ? ["BEGIN;", ...settings(migration, step, true), what, record, "COMMIT;"]
    : [what, record];
}

function renderMigration(migration: PlannedMigration, place: string, context: ViewContext): string[] {
  const { style } = context;
  const description = tellingDescription(migration.id, migration.description);
  const about = description === "" ? "" : `: ${description}`;
  const path =
    migration.path === null ? "from the history, its file is gone" : shownPath(migration.path, context.cwd);
  const lines = [
    style.bold(`-- ${place} ${migration.direction} ${migration.id}${about}`),
    style.dim(`-- ${path}; ${migration.reason}`),
  ];
  if (migration.tolerateExisting) {
    lines.push(style.dim("-- what is there already is tolerated, if it equals what the file makes"));
  }
  const of = migration.steps.length;
  for (const [at, step] of migration.steps.entries()) {
    if (at > 0) lines.push("");
    if (step.ordinal <= (migration.resume?.done ?? 0)) {
      lines.push(style.dim(`-- step ${step.ordinal} of ${of} was done by an earlier run`));
      continue;
    }
    if (
      migration.resume !== null &&
      migration.resume.next !== null &&
      step.ordinal === migration.resume.done + 1
    ) {
      lines.push(style.yellow("-- begun by an earlier run: the catalog is asked first how far it came"));
    }
    lines.push(...renderStep(step, migration, at === of - 1, of, style));
  }
  if (of === 0) {
    lines.push(style.dim(`-- nothing to run; history: ${migration.id} is recorded`));
  }
  return lines;
}

/** The exact SQL of each plan, as a script to read: transactions, settings, and where the history is written. */
export function renderPlan(result: PlanResult, context: ViewContext): string {
  const { style } = context;
  const blocks: string[] = [];
  for (const plan of result.plans) {
    blocks.push([style.dim(`-- ${head(plan)}`), ...warningLines(plan, style)].join("\n"));
    for (const [at, migration] of plan.migrations.entries()) {
      const place = `${at + 1}/${plan.migrations.length}`;
      blocks.push(renderMigration(migration, place, context).join("\n"));
    }
  }
  return blocks.length === 0 ? "" : `${blocks.join("\n\n")}\n`;
}

/** As comments, so that the script stays one. */
function warningLines({ warnings }: Shown, style: Style): string[] {
  return warnings.flatMap(({ message, hint }) => [
    style.yellow(`-- ! ${oneLine(message)}`),
    ...(hint ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => style.dim(`--   ${oneLine(line)}`)),
  ]);
}

function head(plan: Shown): string {
  const total = plan.migrations.length;
  const what = plan.direction === "up" ? "to apply" : "to take back";
  return `${plan.target} (${plan.database}): ${total === 0 ? "nothing to do" : `${migrations(total)} ${what}`}`;
}

/** What the plan amounts to. */
export function renderPlanSummary(result: PlanResult): string {
  const total = result.plans.reduce((sum, plan) => sum + plan.migrations.length, 0);
  return total === 0 ? "nothing to do\n" : `${migrations(total)} planned; nothing was run\n`;
}
