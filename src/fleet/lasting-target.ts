import { GodwitError, isGodwitError } from "../core/error.ts";
import { abortReason, sleep } from "../core/interrupt.ts";
import type { Direction, GodwitEvent } from "../core/events.ts";
import { isDirectUrlFailure } from "../execute/direct-url-failure.ts";
import type { LockedTarget } from "../execute/locked-target.ts";
import { forcedOut } from "../history/forced-release.ts";
import { readHistory, readSnapshot, type HistorySnapshot } from "../history/read.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { verdictOf } from "../postgres/error-verdict.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import { openSession, type Session } from "../postgres/session.ts";
import { confirmedBy, lostWork, tellConfirmed, type MigrationStarted } from "./confirmed.ts";
import type { FleetIo } from "./io.ts";
import { lookForForce } from "./look-for-force.ts";
import { lockTarget } from "./lock-target.ts";
import { Loss, resumedEntry } from "./loss.ts";
import { gaveUp, takesNoWrites, tooOften } from "./retry-errors.ts";
import type { TargetRun } from "./target-run.ts";

/** How long a run goes on by itself once its connection is lost. */
export const RECONNECT_WAIT_MS = 60_000;
/** A migration that loses its session so often in a row does so by itself. */
const MOST_LOSSES = 3;
/** The least that an attempt to connect gets, however little of the time is left. */
const SHORTEST_ATTEMPT_MS = 2000;

/** A session on a target, with what its server said when it began. */
export interface Place {
  readonly session: Session;
  readonly facts: ServerFacts;
}

type Failed = Extract<GodwitEvent, { type: "migration.failed" }>;

/** What an attempt has come to, as its events tell. */
interface Sight {
  /** It waited for the lock or began a migration: a loss from here on is another one. */
  begun: boolean;
  /** The migration that runs. */
  current: MigrationStarted | null;
  /** Told only once it is sure that the run does not go on by itself. */
  failed: Failed | null;
  waitedForLockMs: number;
  /** Migrations of each direction that earlier attempts have done, which this one's plan does not have any more. */
  before: Readonly<Record<Direction, number>>;
}

/**
 * A target for the length of a run, whatever becomes of its sessions: when one is lost, or the lock with it, another is opened, the
 * lock taken again and the history read again, and the work goes on from there (laws 1 and 5).
 */
export class LastingTarget {
  readonly #io: FleetIo;
  readonly #run: TargetRun;
  readonly #losses = new Map<string, number>();
  #place: Place | null;
  #opened: Session | null = null;
  #lastStarted: MigrationStarted | null = null;
  /** Whether no session was had yet. */
  #isFirst: boolean;
  #wasWritable = false;
  /** Whether the lock was held once, with a session to work in. */
  #hasWorked = false;
  /** That a person took the lock from this run: then it does not go on by itself. */
  #forcedOut: GodwitError | null = null;
  #lockWaitMs = 0;

  /** @param first a session that the caller closes; null: one is opened, for which `connectWaitMs` holds. */
  constructor(io: FleetIo, run: TargetRun, first: Place | null) {
    this.#io = io;
    this.#run = run;
    this.#place = first;
    this.#isFirst = first === null;
  }

  /**
   * As `lockTarget`, again and again: what may pass by itself (see `verdictOf`) is waited for with growing pauses, up to
   * `reconnectWaitMs` from each loss on; a server that took no writes from the start, up to `connectWaitMs`. What this run committed
   * without hearing of it is added to the run before `body` is called again.
   * @param body called for each attempt; must plan from the history that it is given.
   * @throws GodwitError as `lockTarget`; LOCK_LOST when somebody took the lock by force; DATABASE_UNREACHABLE when the database
   *   did not come back in time; CONNECTION_LOST when a migration lost its session three times in a row.
   */
  async locked<T>(
    look: (snapshot: HistorySnapshot) => WorkLeft,
    body: (locked: LockedTarget, place: Place) => Promise<T>,
  ): Promise<T | null> {
    const loss = new Loss();
    this.#lockWaitMs = this.#io.lockWaitMs;
    const start = this.#done();
    for (;;) {
      const sight: Sight = {
        begun: false,
        current: null,
        failed: null,
        waitedForLockMs: 0,
        before: { up: 0, down: 0 },
      };
      try {
        return await this.#attempt(sight, loss, look, async (locked, place) => {
          const { up, down } = this.#done();
          sight.before = { up: up - start.up, down: down - start.down };
          return body(locked, place);
        });
      } catch (error) {
        try {
          await this.#next(sight, loss, error);
        } catch (final) {
          const failed = sight.failed ?? loss.failed;
          if (failed !== null)
            this.#io.emit({ ...failed, error: isGodwitError(final) ? final : failed.error });
          const { signal } = this.#io;
          if (signal?.aborted !== true || isGodwitError(final, abortReason(signal).code)) throw final;
          throw abortReason(signal);
        }
      }
    }
  }

  /** Closes the session that is open in place of the first one. */
  close(): void {
    this.#opened?.close();
    this.#opened = null;
  }

  async #attempt<T>(
    sight: Sight,
    loss: Loss,
    look: (snapshot: HistorySnapshot) => WorkLeft,
    body: (locked: LockedTarget, place: Place) => Promise<T>,
  ): Promise<T | null> {
    const { target } = this.#run;
    const place = (this.#place ??= await this.#reopen(loss));
    // Asked before anything is: what a standby refuses it refuses with several codes, 0A000 for BEGIN READ WRITE (measured).
    if (place.facts.inRecovery || place.facts.readOnly) throw takesNoWrites(place.facts);
    this.#wasWritable = true;
    const io = { ...this.#io, lockWaitMs: this.#lockWaitMs, emit: this.#watching(sight) };
    const done = await lockTarget(this.#run.following(io), target, place, look, async (locked) => {
      this.#hasWorked = true;
      if (loss.first !== null) {
        await locked.context.writer.write({ log: [resumedEntry(loss, loss.first)] });
        await this.#resumed(loss, place, locked.snapshot);
      }
      return { of: await body(locked, place) };
    });
    if (done !== null) return done.of;
    if (loss.first !== null) await this.#resumed(loss, place, await readHistory(place.session, target.scope));
    return null;
  }

  async #reopen(loss: Loss): Promise<Place> {
    const { target } = this.#run;
    loss.attempts += 1;
    const session = await openSession(target.settings, {
      applicationName: target.settings.applicationName ?? "godwit",
      signal: this.#io.signal,
      // The first session gets the time that it gets anywhere: a busy server may need some seconds for it.
      ...(this.#isFirst ? {} : { timeoutMs: Math.max(SHORTEST_ATTEMPT_MS, loss.left(this.#limit)) }),
    });
    this.#isFirst = false;
    this.close();
    this.#opened = session;
    const { facts, meta } = await readSnapshot(session, target.scope);
    this.#forcedOut = meta === null ? null : await forcedOut(session, target.scope, this.#io.run.runId);
    if (this.#forcedOut !== null) throw this.#forcedOut;
    return { session, facts };
  }

  get #limit(): number {
    const { connectWaitMs, reconnectWaitMs } = this.#io;
    return this.#wasWritable ? (reconnectWaitMs ?? RECONNECT_WAIT_MS) : connectWaitMs;
  }

  #watching(sight: Sight): FleetIo["emit"] {
    return (told) => {
      const event = inPlace(told, sight);
      if (event.type === "lock.waiting") {
        sight.begun = true;
        sight.waitedForLockMs = event.elapsedMs;
      } else if (event.type === "migration.started") {
        sight.begun = true;
        sight.current = this.#lastStarted = event;
      } else if (event.type === "migration.finished") {
        sight.current = null;
      } else if (event.type === "migration.failed") {
        sight.failed = event;
        return;
      }
      this.#io.emit(event);
    };
  }

  /** Tells that the work goes on, and what of it turned out to be done. */
  async #resumed(loss: Loss, { session }: Place, snapshot: HistorySnapshot): Promise<void> {
    loss.failed = null;
    const { target } = this.#run;
    this.#io.emit({
      type: "target.resumed",
      target: target.id,
      attempts: loss.attempts,
      elapsedMs: loss.elapsedMs,
    });
    const found = await confirmedBy(session, target, this.#io.run.runId);
    this.#lastStarted = tellConfirmed(this.#io, this.#run, found, this.#lastStarted);
    this.#run.warn(this.#io, lostWork(this.#run, snapshot));
  }

  /** Waits until it is time for another attempt. @throws what ends the work. */
  async #next(sight: Sight, loss: Loss, error: unknown): Promise<void> {
    const { signal } = this.#io;
    if (signal?.aborted === true || error === this.#forcedOut) throw error;
    if (verdictOf(error) !== "retry") throw error;
    const reason = isGodwitError(error) ? error : asGodwitError(error);
    // A mistake in an address shows at once, in the direct one too.
    const isFirstDirect = isDirectUrlFailure(error) && !this.#hasWorked;
    const limit = isFirstDirect ? this.#io.connectWaitMs : this.#limit;
    if (limit === 0) throw error;
    const id = sight.current?.id ?? null;
    if (loss.first === null || sight.begun) loss.begin(reason, id);
    this.#lockWaitMs = Math.max(0, this.#lockWaitMs - sight.waitedForLockMs);
    const times = this.#count(id);
    const again = `godwit ${this.#io.run.command}`;
    if (id !== null && times >= MOST_LOSSES) throw tooOften(reason, id, times, again);
    const { elapsedMs } = loss;
    if (elapsedMs >= limit) throw gaveUp(loss.first ?? reason, reason, { elapsedMs, again });
    if (loss.attempts === 0) this.#forcedOut = await lookForForce(this.#io, this.#run.target, reason);
    if (this.#forcedOut !== null) throw this.#forcedOut;
    const delayMs = loss.pauseMs(limit);
    const target = this.#run.target.id;
    if (loss.attempts === 0) {
      const { code, sqlstate = null, message } = reason;
      this.#io.emit({
        type: "target.retrying",
        target,
        id,
        code,
        sqlstate,
        reason: message,
        attempt: times,
        delayMs,
      });
    } else {
      this.#io.emit({
        type: "connection.waiting",
        target,
        reason: reason.message,
        attempt: loss.attempts,
        elapsedMs,
      });
    }
    loss.failed = sight.failed ?? loss.failed;
    // One that lives on would be waited for like that of another holder.
    this.#place?.session.close();
    this.#place = null;
    this.close();
    await sleep(delayMs, signal);
  }

  #done(): Record<Direction, number> {
    return { up: this.#run.countOf("up"), down: this.#run.countOf("down") };
  }

  /** How often in a row the same has been met in this migration. */
  #count(id: string | null): number {
    const key = id ?? "";
    const times = (this.#losses.get(key) ?? 0) + 1;
    this.#losses.set(key, times);
    return times;
  }
}

/** A migration's place among all of the run, not only those that this attempt has planned. */
function inPlace(event: GodwitEvent, { before }: Sight): GodwitEvent {
  if (event.type !== "migration.started" && event.type !== "migration.finished") return event;
  const done = before[event.direction];
  return done === 0 ? event : { ...event, index: event.index + done, total: event.total + done };
}

function asGodwitError(error: unknown): GodwitError {
  const message = error instanceof Error ? error.message : String(error);
  return new GodwitError("CONNECTION_LOST", `the connection to the database was lost: ${message}`, {
    cause: error,
  });
}
