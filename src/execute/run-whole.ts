import { crashPoint } from "../core/crash-points.ts";
import type { HistoryChange } from "../history/writer.ts";
import { sessionResetSql } from "../postgres/work-session.ts";
import type { StatementResult } from "../postgres/session.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import type { Statement } from "../sql/types.ts";
import { statementsOf } from "../plan/steps.ts";
import { FreshRelations } from "../sql/locks/fresh.ts";
import { mightQueue } from "../sql/locks/might-queue.ts";
import { runCode } from "./code-migration.ts";
import { ObjectLocks } from "./locks/object-locks.ts";
import type { ExecutionContext } from "./context.ts";
import { statementDetails, type StatementOutcome } from "./log-entries.ts";
import { finishedChange } from "./records.ts";
import { emitFinished, emitStarted, subject } from "./statement-events.ts";
import { PlanTexts } from "./plan-texts.ts";
import { PIPELINE_DEPTH, StatementPipeline } from "./statement-pipeline.ts";
import { beginSql, inTransaction, type UnderWay } from "./transaction.ts";

/** Plans of at least so many migrations have several of them under way at once. */
const BULK = 10;
/** So many: what the server has to do then outlasts a collection of our garbage. More bring nothing, measured. */
const AHEAD = 16;
/** From here on the time of a single statement of a bulk is worth keeping. */
const SLOW_MS = 100;

/** Whether one transaction does all of a migration, so that it commits with its history and needs no ledger. */
export function isWhole(planned: PlannedMigration): boolean {
  const [only, ...rest] = planned.steps;
  if (planned.resume !== null || rest.length > 0) return false;
  return only === undefined || only.kind === "transaction" || (only.kind === "code" && only.transaction);
}

interface LaunchOptions {
  /** Whether it is sent behind a commit whose outcome is not known yet. */
  readonly behind: boolean;
  /** Whether COMMIT is sent along. */
  readonly committing: boolean;
  /** In place of the planned one. */
  readonly lockTimeoutMs?: number | null;
  /** What to send right behind BEGIN. */
  readonly takeLocks?: string;
}

/** A migration on its way to the server. */
interface Flight extends UnderWay<StatementOutcome[]> {
  readonly planned: PlannedMigration;
}

/**
 * Runs migrations that are one transaction each, without waiting for the network between them. Each resets the session in its own
 * transaction, so that the session is as it was whether it commits or not. BEGIN and the first statements of the next one
 * are sent right behind COMMIT; a guard behind BEGIN makes the server refuse all of it if that commit failed. In a bulk the
 * entry in the history and COMMIT are sent right behind the statements as well, for several migrations at once: should
 * one fail, the server refuses its COMMIT and whatever follows.
 */
export class WholeRunner {
  readonly #context: ExecutionContext;
  readonly #bulk: boolean;
  #flights: Flight[] = [];
  #reset: Promise<unknown> = Promise.resolve();
  readonly #texts: PlanTexts;
  readonly #resetSql: string;
  /** Those that others might have to queue behind: they are not sent ahead. */
  readonly #courteous: ReadonlyMap<PlannedMigration, ObjectLocks>;
  #hasForeseen = false;

  /** @param plan all migrations of the plan. */
  constructor(context: ExecutionContext, plan: readonly PlannedMigration[]) {
    this.#context = context;
    // Behind a pooler each transaction may have another session, so that none is sent behind one whose outcome is open.
    this.#bulk = plan.length >= BULK && !context.work.pooled;
    this.#texts = new PlanTexts(this.#bulk ? plan : []);
    this.#resetSql = sessionResetSql(context.work);
    this.#courteous = courteousOf(context, plan);
  }

  /**
   * @param upcoming the migrations behind this one.
   * @throws as `inTransaction`; then nothing is under way any more.
   */
  async run(planned: PlannedMigration, upcoming: readonly PlannedMigration[]): Promise<StatementOutcome[]> {
    if (this.#bulk && !this.#hasForeseen && this.#courteous.has(planned)) {
      this.#hasForeseen = true;
      const { searchPath, session } = this.#context;
      await ObjectLocks.foresee(session, [...this.#courteous.values()], searchPath);
    }
    const outcomes = await inTransaction(this.#context, planned, {
      step: planned.steps[0],
      underWay: this.#takeOff(planned, upcoming),
      locks: this.#courteous.get(planned) ?? null,
      start: (lockTimeoutMs, takeLocks) =>
        this.#launch(planned, { behind: false, committing: false, lockTimeoutMs, takeLocks }),
      change: (results) => this.#finished(planned, results),
      onCommitting: () => this.#sendAhead(upcoming.slice(0, 1), false),
      reset: this.#resetSql,
      onRolledBack: () => {
        this.#flights = [];
        this.#texts.forget();
      },
    });
    if (this.#bulk) this.#keepSlow(planned, outcomes);
    return outcomes;
  }

  /** Sends the session's reset as a message of its own, behind a migration that is not one transaction. */
  resetSession(): void {
    this.#reset = this.#context.session.query(this.#resetSql);
    this.#reset.catch(() => undefined);
  }

  /** Waits for the reset, unless the next migration, which is under way, does. What it throws is no failure of a migration. */
  async ready(): Promise<void> {
    if (this.#flights.length === 0) await this.#reset;
  }

  /** Whether a migration was sent ahead, COMMIT included. */
  isUnderWay(planned: PlannedMigration): boolean {
    const [flight] = this.#flights;
    return flight?.planned === planned && flight.committed !== null;
  }

  /** Takes back what was sent ahead for a migration that shall not run after all. */
  async abandon(): Promise<void> {
    if (this.#flights.length === 0) return;
    this.#flights = [];
    this.#texts.forget();
    const { session, writer } = this.#context;
    await session.cleanup(() => session.query("ROLLBACK"));
    writer.forgetUncommitted();
  }

  /** What is on its way of this migration; in a bulk it is sent now, if it was not yet, and others behind it. */
  #takeOff(planned: PlannedMigration, upcoming: readonly PlannedMigration[]): Flight | null {
    const flight = this.#flights[0]?.planned === planned ? this.#flights.shift()! : null;
    if (!this.#bulk) return flight;
    if (flight !== null) {
      if (flight.committed !== null) this.#sendAhead(upcoming, true);
      return flight;
    }
    if (!fitsInBulk(planned) || this.#courteous.has(planned)) return null;
    const launched = this.#launch(planned, { behind: false, committing: true });
    this.#sendAhead(upcoming, true);
    return launched;
  }

  #sendAhead(upcoming: readonly PlannedMigration[], committing: boolean): void {
    this.#context.session.together(() => {
      if (this.#context.work.pooled) return;
      for (const next of upcoming.slice(this.#flights.length, AHEAD - 1)) {
        if (this.#courteous.has(next) || !maySendAhead(next) || (committing && !fitsInBulk(next))) break;
        this.#flights.push(this.#launch(next, { behind: true, committing }));
      }
    });
    if (committing) crashPoint("bulk.sent", upcoming[0]?.id);
  }

  #launch(
    planned: PlannedMigration,
    { behind, committing, lockTimeoutMs = null, takeLocks = "" }: LaunchOptions,
  ): Flight {
    const { session, writer } = this.#context;
    const guard = behind ? [writer.committedSql()] : [];
    if (committing && isQuick(planned)) return this.#launchInOneMessage(planned, guard);
    const begin = beginSql(this.#context, planned, { select: guard, lockTimeoutMs, takeLocks });
    if (this.#context.work.pooled) return this.#launchPooled(planned, begin);
    const begun = Promise.all([this.#reset, session.query(begin)]);
    begun.catch(() => undefined);
    const step = planned.steps[0];
    const statements = step?.kind === "transaction" ? step.statements : [];
    const pipeline = planned.tolerateExisting
      ? null
      : new StatementPipeline(this.#context, planned, statements);
    const committed = committing
      ? writer.commitWith(this.#finishedInBulk(planned), { reset: this.#resetSql })
      : null;
    committed?.catch(() => undefined);
    const results = async (): Promise<StatementOutcome[]> => {
      if (pipeline !== null && step?.kind !== "code") return pipeline.resultsBehind(begun);
      await begun;
      if (pipeline === null) {
        const { runTolerantly } = await import("./tolerate/tolerate.ts");
        return runTolerantly(this.#context, planned, statements);
      }
      await runCode(this.#context, planned);
      return [];
    };
    return { planned, results, committed };
  }

  /**
   * Waits for BEGIN before it sends more: a session that is not ours cannot be made to refuse what comes outside of a
   * transaction.
   */
  #launchPooled(planned: PlannedMigration, begin: string): Flight {
    const { session, watch } = this.#context;
    const step = planned.steps[0];
    const results = async (): Promise<StatementOutcome[]> => {
      const began = await session.results(begin);
      const own = began.flatMap(({ rows }) => rows).find((row) => row.godwit_pid !== undefined);
      watch.aimAt({ pid: Number(own?.godwit_pid), start: own?.godwit_start ?? null });
      if (step?.kind === "transaction") {
        if (!planned.tolerateExisting) {
          return new StatementPipeline(this.#context, planned, step.statements).results();
        }
        const { runTolerantly } = await import("./tolerate/tolerate.ts");
        return runTolerantly(this.#context, planned, step.statements);
      }
      if (step !== undefined) await runCode(this.#context, planned);
      return [];
    };
    return { planned, results, committed: null };
  }

  /**
   * The whole transaction as one message, which spares the server an answer for each statement. The times at which they ended are
   * asked for in between; while it runs nobody can tell which statement runs, so that this is for quick ones alone.
   */
  #launchInOneMessage(planned: PlannedMigration, guard: readonly string[]): Flight {
    const { emit, writer } = this.#context;
    const { statements } = planned.steps[0] as Extract<PlanStep, { kind: "transaction" }>;
    const begin = beginSql(this.#context, planned, { select: [...guard, TIME], lockTimeoutMs: null });
    const timed = statements.map(({ sql }) => `${sql}\n`).join(`; SELECT ${TIME}; `);
    const all = writer.commitWith(this.#finishedInBulk(planned), {
      before: `${begin}; ${timed}; SELECT ${TIME}; `,
      reset: this.#resetSql,
      // Others are on their way as well, so that each must tell its own.
      onNotice: (notice) => emit({ type: "notice", ...subject(this.#context, planned), ...notice }),
    });
    all.catch(() => undefined);
    const results = async (): Promise<StatementOutcome[]> => {
      await this.#reset;
      return timedOutcomes(statements, await all).map((outcome) => {
        emitStarted(this.#context, planned, outcome.statement, false);
        emitFinished(this.#context, planned, outcome);
        return outcome;
      });
    };
    return { planned, results, committed: all, inOneMessage: true };
  }

  #finished(planned: PlannedMigration, results: readonly StatementOutcome[]): HistoryChange {
    const { messages, writer } = this.#context;
    return finishedChange(writer, planned, results, null, planned.format === "code" ? [...messages] : []);
  }

  /** For what is sent before its outcome is known. */
  #finishedInBulk(planned: PlannedMigration): HistoryChange {
    const { writer } = this.#context;
    return this.#texts.storeAllAtOnce(finishedChange(writer, planned, null, null), writer);
  }

  #keepSlow(planned: PlannedMigration, outcomes: readonly StatementOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.durationMs < SLOW_MS) continue;
      this.#context.slowStatements.push({ migration: planned.id, ...statementDetails(outcome) });
    }
  }
}

function courteousOf(
  context: ExecutionContext,
  plan: readonly PlannedMigration[],
): Map<PlannedMigration, ObjectLocks> {
  const all = new Map<PlannedMigration, ObjectLocks>();
  const fresh = new FreshRelations();
  for (const planned of plan) {
    fresh.nextFile();
    const statements = planned.steps.flatMap(statementsOf);
    // What the plan itself has made is used by nobody yet, or not for long.
    const strong = statements.flatMap((statement) => fresh.next(statement)).some(mightQueue);
    if (!strong || !isWhole(planned)) continue;
    const { searchPath } = context;
    const comparesFirst = planned.tolerateExisting;
    const locks = ObjectLocks.of(context, planned, statements, { searchPath, comparesFirst });
    if (locks !== null) all.set(planned, locks);
  }
  return all;
}

/** Its result is told from all others by the name of its column. */
const TIME = "EXTRACT(epoch FROM pg_catalog.clock_timestamp()) AS godwit_time";

/** Of each statement: from the time before it to the next; its result stands right before the latter. */
function timedOutcomes(
  statements: readonly Statement[],
  results: readonly StatementResult[],
): StatementOutcome[] {
  const times = results.flatMap(({ rows }, index) => {
    const seconds = rows[0]?.godwit_time;
    return seconds === undefined || seconds === null ? [] : [{ index, ms: Number(seconds) * 1000 }];
  });
  return statements.map((statement, index) => {
    const [before, after] = [times[index]!, times[index + 1]!];
    return {
      statement,
      durationMs: Math.max(0, after.ms - before.ms),
      rows: results[after.index - 1]!.rowCount,
    };
  });
}

function isQuick(planned: PlannedMigration): boolean {
  const [step] = planned.steps;
  return step?.kind === "transaction" && step.statements.every(({ quick }) => quick);
}

/** SET TRANSACTION must be the first query of its transaction, which it is not behind the guard. */
function maySendAhead(next: PlannedMigration): boolean {
  const [step] = next.steps;
  if (!isWhole(next) || step?.kind !== "transaction" || next.tolerateExisting) return false;
  return !step.statements.some(({ tag, sql }) => tag === "SET" && /transaction/i.test(sql));
}

/** COMMIT can be sent along where all statements are sent at once. */
function fitsInBulk(planned: PlannedMigration): boolean {
  const [step] = planned.steps;
  if (!isWhole(planned) || planned.tolerateExisting) return false;
  return step?.kind === "transaction" && step.statements.length <= PIPELINE_DEPTH;
}
