import { createHash } from "node:crypto";
import { GodwitError } from "../core/error.ts";
import type { Section } from "../migrations/types.ts";
import type { Statement } from "../sql/types.ts";
import { mayCommit } from "./decidable.ts";
import type { PlanStep } from "./types.ts";

/** Which statements must stand alone for reasons that only the live catalog knows, by ordinal. */
export type CatalogAnswers = ReadonlySet<number>;

/**
 * Cuts a section into steps: neighbours that may share a transaction do, a statement that must stand alone is a step,
 * and a transaction ends behind a statement whose effect is usable only after its commit (ALTER TYPE … ADD VALUE).
 * In a section without a transaction each statement commits by itself, and together with its ledger entry where it can.
 * @param finished steps that are done, as they were cut then; the statements behind theirs are cut.
 */
export function stepsOf(
  section: Section,
  alone: CatalogAnswers,
  finished: readonly PlanStep[] = [],
): PlanStep[] {
  const steps = [...finished];
  let open: Statement[] = [];
  const close = (): void => {
    if (open.length === 0) return;
    steps.push({ kind: "transaction", ordinal: steps.length + 1, statements: open });
    open = [];
  };
  const rest = finished.reduce((count, step) => count + statementsOf(step).length, 0);
  for (const statement of section.statements.slice(rest)) {
    if (standsAlone(statement, section, alone)) {
      close();
      steps.push({ kind: "standalone", ordinal: steps.length + 1, statement });
      continue;
    }
    open.push(statement);
    if (!section.transaction || statement.transaction === "ends") close();
  }
  close();
  return steps;
}

/** Whether a statement of a section is a step that no transaction block may be around. */
export function standsAlone(statement: Statement, section: Section, alone: CatalogAnswers): boolean {
  if (statement.transaction === "alone" || alone.has(statement.ordinal)) return true;
  return !section.transaction && mayCommit(statement);
}

/** Every statement of a step, in order. */
export function statementsOf(step: PlanStep): readonly Statement[] {
  if (step.kind === "transaction") return step.statements;
  return step.kind === "standalone" ? [step.statement] : [];
}

/** What the ledger keeps of a step, to see on resume whether a finished one was edited since. */
export function stepHash(step: PlanStep, checksum: string): string {
  if (step.kind === "code") return checksum;
  const [only, ...rest] = statementsOf(step);
  if (only !== undefined && rest.length === 0) return only.hash;
  const hash = createHash("sha256");
  for (const statement of statementsOf(step)) hash.update(`${statement.hash}\n`);
  return `sha256:${hash.digest("hex")}`;
}

/**
 * Refuses a file of several steps that relies on session state which a new session cannot be given: after a crash the
 * remaining steps run in another one (law 9). SET statements are replayed and so are fine.
 * @throws GodwitError STATEMENT_NEEDS_SESSION with the place of the first such statement.
 */
export function assertResumable(steps: readonly PlanStep[], path: string): void {
  for (const step of steps.slice(0, -1)) {
    for (const statement of statementsOf(step)) {
      if (statement.sessionEffect !== "temporary" && statement.sessionEffect !== "prepare") continue;
      const what = statement.sessionEffect === "temporary" ? "a temporary object" : "session state";
      throw new GodwitError(
        "STATEMENT_NEEDS_SESSION",
        `${statement.tag} makes ${what}, but the file has ${steps.length} steps and a later one may have to resume in another session`,
        {
          location: { file: path, line: statement.line, column: statement.column },
          hint: "move the statements that stand alone (CONCURRENTLY, ADD VALUE) to a migration of their own, or use an ordinary table and drop it at the end",
        },
      );
    }
  }
}
