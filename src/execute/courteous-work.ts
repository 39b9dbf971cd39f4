import type { HistoryChange } from "../history/change.ts";
import { isPatientStep } from "../plan/patient-step.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import { blockedOthers } from "./blocked-others.ts";
import { BlockerLadder } from "./blocker-ladder.ts";
import type { HeldLocks } from "./blocker-look.ts";
import { ABORTING_SQL } from "./blocking-watch.ts";
import type { ExecutionContext } from "./context.ts";
import { pastDeadline } from "./patient.ts";
import { StatementFailure } from "./statement-pipeline.ts";

/**
 * A piece of work under the eyes of the second session, over all its attempts: it must not make others wait for long, and where it
 * is allowed to, it ends those that make it wait.
 */
export class CourteousWork {
  readonly #context: ExecutionContext;
  readonly #planned: PlannedMigration;
  readonly #ladder: BlockerLadder;
  readonly #patient: boolean;
  readonly #inBlock: boolean;
  readonly #code: boolean;
  #committing = false;
  /** So many acts are on their way to the history with the commit. */
  #sent = 0;

  /**
   * @param step undefined: nothing but the history is written.
   * @param blocks it is patient, and makes others wait all the same.
   */
  constructor(
    context: ExecutionContext,
    planned: PlannedMigration,
    step: PlanStep | undefined,
    blocks = false,
  ) {
    this.#context = context;
    this.#planned = planned;
    this.#ladder = new BlockerLadder(context, planned);
    this.#patient = isPatientStep(step) && !blocks;
    this.#code = step?.kind === "code";
    this.#inBlock =
      step === undefined || step.kind === "transaction" || (step.kind === "code" && step.transaction);
  }

  /** Runs one attempt. @throws what it throws; see `judge`. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const { session, courtesy } = this.#context;
    this.#committing = false;
    this.#sent = 0;
    const withLadder = async (): Promise<T> => {
      const result = await this.#ladder.during(attempt);
      courtesy.written(this.#sent);
      return result;
    };
    if (this.#patient) return withLadder();
    return courtesy.blocking.during(withLadder, () => {
      // Only code leaves its transaction idle, and until it commits nothing else is sent behind it.
      if (this.#code && !this.#committing) session.query(ABORTING_SQL).catch(() => undefined);
    });
  }

  /**
   * Acts, where that is allowed, on who keeps it from being tried at all, and logs it at once. No transaction may be open.
   * @returns in how many milliseconds to come again at the latest; null: any time.
   * @throws as `HistoryWriter.write`.
   */
  async keptOut(held: HeldLocks): Promise<number | null> {
    const { courtesy, writer } = this.#context;
    const againMs = await this.#ladder.outside(held);
    await courtesy.writeActs(writer);
    return againMs;
  }

  /** To be called when all that is left to do is to commit. */
  isCommitting(): void {
    this.#committing = true;
  }

  /** The change with what was done to other sessions meanwhile; to be called once for each attempt. */
  withActs(change: HistoryChange): HistoryChange {
    const { acts } = this.#context.courtesy;
    this.#sent = acts.length;
    const [first, ...others] = [...acts, ...change.log];
    return first === undefined ? change : { ...change, log: [first, ...others] };
  }

  /**
   * What is to be thrown for a failed attempt, to be asked before it is rolled back.
   * @returns `again` where it failed through no fault of its own and may simply be run again.
   */
  async judge(error: unknown): Promise<unknown> {
    const { courtesy, signal, watch } = this.#context;
    if (signal?.aborted === true) return error;
    const cause = error instanceof StatementFailure ? error.cause : error;
    const sight = courtesy.blocking.judge(cause, { inBlock: this.#inBlock, code: this.#code });
    if (sight === "stray") return "again";
    if (sight !== null) return blockedOthers(this.#planned, error, sight, courtesy.settings.maxBlockingMs);
    return pastDeadline(this.#context, this.#planned, error, watch.waitingFor) ?? error;
  }
}
