import { GodwitError } from "../core/error.ts";
import type { Direction } from "../core/events.ts";
import type { StepNote, StepRow } from "../history/types.ts";
import type { Section } from "../migrations/types.ts";
import type { Statement } from "../sql/types.ts";
import { hadNoEffect } from "./decidable.ts";
import { finishedSteps } from "./finished-steps.ts";
import { stepHash, stepsOf, type CatalogAnswers } from "./steps.ts";
import type { BegunStep, PlanResume, PlanStep } from "./types.ts";

/** What the history keeps of a step that was begun, beyond its line in the ledger. */
export interface BegunRecord {
  /** From the text that was run; null: it is not stored, or has no such statement. */
  readonly statement: Statement | null;
  readonly note: StepNote | null;
}

export interface ResumeInput {
  readonly id: string;
  readonly direction: Direction;
  /** What is to be run; of code its checksum counts. */
  readonly work:
    | { readonly section: Section; readonly alone: CatalogAnswers }
    | { readonly code: Extract<PlanStep, { kind: "code" }> };
  readonly checksum: string;
  /** Lines of this migration and direction, by ordinal. */
  readonly ledger: readonly StepRow[];
  readonly begun: BegunRecord | undefined;
  /** For messages; null: only the history has the text. */
  readonly path: string | null;
}

/**
 * The steps of a migration, and where it goes on if the ledger has lines of it. Its finished statements must be those that the text
 * begins with; the rest may have been mended since, and is cut into steps anew.
 * @throws GodwitError NEEDS_REPAIR if a finished statement was edited.
 */
export function resumeSteps(input: ResumeInput): { steps: PlanStep[]; resume: PlanResume | null } {
  const { work, ledger, checksum } = input;
  if (ledger.length === 0) {
    return {
      steps: "code" in work ? [work.code] : stepsOf(work.section, work.alone),
      resume: null,
    };
  }
  const open = ledger.findIndex((line) => line.state !== "done");
  const done = open === -1 ? ledger : ledger.slice(0, open);
  const steps = "code" in work ? codeSteps(input, work.code, done) : sqlSteps(input, work, done);
  const begun = open === -1 ? null : begunStep(ledger[open]!, steps[done.length], input.begun, checksum);
  return {
    steps,
    resume: {
      done: done.length,
      next: begun === null ? null : begun.state === "failed" ? "failed" : "intended",
      begun,
    },
  };
}

function sqlSteps(
  input: ResumeInput,
  { section, alone }: { readonly section: Section; readonly alone: CatalogAnswers },
  done: readonly StepRow[],
): PlanStep[] {
  const finished = finishedSteps(section, alone, done);
  if ("steps" in finished) return stepsOf(section, alone, finished.steps);
  const { ordinal } = finished.edited;
  throw wasEdited(input, `statement ${ordinal}`, section.statements[ordinal - 1]);
}

function codeSteps(
  input: ResumeInput,
  code: Extract<PlanStep, { kind: "code" }>,
  done: readonly StepRow[],
): PlanStep[] {
  if (done.some((line) => line.statementHash !== input.checksum)) throw wasEdited(input, "the code");
  return [code];
}

function wasEdited(input: ResumeInput, what: string, now?: Statement): GodwitError {
  const { id, direction, path } = input;
  const { line, column } = now ?? { line: 1, column: 1 };
  return new GodwitError(
    "NEEDS_REPAIR",
    `${id}: ${what} of its ${direction} is done, but the file says something else there now`,
    {
      ...(path === null ? {} : { location: { file: path, line, column } }),
      hint:
        `put the finished statements back as they were and change only what comes after them,\n` +
        `or finish by hand and tell the history: godwit repair mark-applied ${id} --reason "…"`,
    },
  );
}

function begunStep(
  line: StepRow,
  next: PlanStep | undefined,
  known: BegunRecord | undefined,
  checksum: string,
): BegunStep {
  const isNext =
    next !== undefined && next.kind !== "transaction" && stepHash(next, checksum) === line.statementHash;
  const statement = isNext && next.kind === "standalone" ? next.statement : (known?.statement ?? null);
  return {
    ordinal: line.ordinal,
    hash: line.statementHash,
    state: line.state === "done" ? "intended" : line.state,
    hadNoEffect: hadNoEffect(line, statement),
    isNext,
    statement,
    note: known?.note ?? null,
  };
}
