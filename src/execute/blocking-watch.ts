import { sqlstateOf } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { CANCEL_SQL, lookWhoWaits, type BlockingSight } from "./blocking-look.ts";
import type { SecondSession, WatchedBackend } from "./second-session.ts";

/** Looks are never further apart than this, and the first one comes no later. */
const LOOK_EVERY_MS = 250;
/** So many looks at least fall within the limit. */
const LOOKS_WITHIN_LIMIT = 4;
/** A cancelled statement has ended by then, or is cancelled again: a request that comes between two statements is lost. */
const AGAIN_MS = 50;
/** A server that has no connection left is not asked for one again and again. */
const BLIND_MS = 2000;
/** What a look and the request to cancel take: a wait that is so close to its limit would pass it. */
const ACT_TAKES_MS = 5;

/** What can come of a transaction in which a wait for it reached its limit, as against one that is cancelled at once. */
const ABORTED: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.queryCanceled,
  SQLSTATE.inFailedSqlTransaction,
  SQLSTATE.divisionByZero,
]);

/** Aborts the transaction it stands in, for where nothing runs that could be cancelled. */
export const ABORTING_SQL = "SELECT pg_catalog.int4div(1, 0)";

/**
 * Watches from the second session who waits for the work session, and cancels its transaction as soon as a wait would
 * pass the limit (law 7). What is done before the first look costs nothing, no connection either.
 */
export class BlockingWatch {
  readonly #second: SecondSession;
  readonly #watched: () => WatchedBackend;
  readonly #limitMs: number;
  readonly #everyMs: number;
  readonly #onBlind: (reason: string) => void;
  #blind = false;
  /** Counts what was watched. */
  #round = 0;
  /** What was seen before the last cancel, and in which round, until it is known what it struck. */
  #act: { readonly sight: BlockingSight; readonly round: number } | null = null;

  constructor(options: {
    readonly second: SecondSession;
    readonly watched: () => WatchedBackend;
    /** How long others may wait, in milliseconds; 0: no limit, nothing is watched. */
    readonly limitMs: number;
    /** Told once why nothing can be seen. */
    readonly onBlind: (reason: string) => void;
  }) {
    this.#second = options.second;
    this.#watched = options.watched;
    this.#limitMs = options.limitMs;
    this.#everyMs = Math.min(LOOK_EVERY_MS, options.limitMs / LOOKS_WITHIN_LIMIT);
    this.#onBlind = options.onBlind;
  }

  /**
   * Runs `body` while it is watched. When this returns, no request to cancel is on its way any more.
   * @param abort called where a transaction is open and nothing runs in it: is to abort it with a statement of the session itself.
   * @throws what `body` throws; see `judge`.
   */
  async during<T>(body: () => Promise<T>, abort: () => void): Promise<T> {
    if (this.#limitMs === 0) return body();
    this.#round += 1;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    let acting: Promise<void> = Promise.resolve();
    const look = async (): Promise<void> => {
      const sight = await this.#look(() => over);
      if (over) return;
      const longest = sight?.waiters[0]?.waitedMs ?? 0;
      let pause = sight === null ? BLIND_MS : Math.min(this.#everyMs, this.#limitMs - longest);
      if (sight !== null && longest >= this.#limitMs - ACT_TAKES_MS) {
        acting = this.#cancel(sight);
        await acting;
        if (over) return;
        if (sight.idle) abort();
        pause = AGAIN_MS;
      }
      timer = setTimeout(() => void look(), pause);
    };
    timer = setTimeout(() => void look(), this.#everyMs);
    try {
      return await body();
    } finally {
      over = true;
      clearTimeout(timer);
      await acting;
    }
  }

  /**
   * Whether the failure of what was watched last is this watch's doing. Where the cancel was sent while an earlier
   * transaction was waited for, it came too late for that one, which was followed without waiting for its commit.
   * @param work code may throw what it likes, so that its error does not count.
   * @returns what was seen before it was cancelled; `stray` if the cancel was meant for an earlier transaction, so that this one
   *   may simply be run again; null: it failed by itself.
   */
  judge(
    error: unknown,
    work: { readonly inBlock: boolean; readonly code: boolean },
  ): BlockingSight | "stray" | null {
    const act = this.#act;
    this.#act = null;
    if (act === null) return null;
    const aborted = ABORTED.has(sqlstateOf(error));
    if (act.round !== this.#round) return work.inBlock && aborted ? "stray" : null;
    return aborted || work.code ? act.sight : null;
  }

  async #look(isOver: () => boolean): Promise<BlockingSight | null> {
    try {
      const sight = await lookWhoWaits(this.#second, this.#watched());
      if (sight === null) throw new Error("the second connection does not see the session of this run");
      return sight;
    } catch (error) {
      if (!this.#blind && !isOver()) this.#onBlind(error instanceof Error ? error.message : String(error));
      this.#blind ||= !isOver();
      return null;
    }
  }

  /** A request that cannot be sent is repeated with the next look. */
  async #cancel(sight: BlockingSight): Promise<void> {
    if (sight.transaction === null) return;
    const before = this.#act;
    this.#act = { sight, round: this.#round };
    try {
      const { pid, start } = this.#watched();
      const rows = await this.#second.rows(CANCEL_SQL, [
        String(pid),
        start ?? "-infinity",
        sight.transaction,
      ]);
      if (rows.length === 0) this.#act = before;
    } catch {
      // Whether it arrived is not known.
    }
  }
}
