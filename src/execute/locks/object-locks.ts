import { monotonicMs } from "../../core/clock.ts";
import { sleep } from "../../core/interrupt.ts";
import { keptOutSql } from "../../core/kept-out-note.ts";
import type { PlannedMigration } from "../../plan/types.ts";
import { isDatabaseError, sqlstateOf } from "../../postgres/database-error.ts";
import type { Session } from "../../postgres/session.ts";
import { SQLSTATE } from "../../postgres/sqlstate.ts";
import { qualified } from "../../sql/quote.ts";
import type { Statement } from "../../sql/types.ts";
import type { HeldLocks } from "../blocker-look.ts";
import type { ExecutionContext } from "../context.ts";
import { pauseMs, queueBudgetMs } from "../lock-budget.ts";
import { conflictingHolders, type ConflictingHolder } from "./conflicting-holders.ts";
import { awaitedJson, inPgLocks } from "./held-locks.ts";
import { resolveLocks } from "./resolve-locks.ts";
import { strongestOf, type Wanted } from "./strongest-locks.ts";
import { lockTablesSql } from "./take-locks.ts";
import { wantedLocks, type WantedLocks } from "./wanted-locks.ts";

/** A transaction younger than this is likely to be over before we would have made anybody wait. */
const YOUNG_MS = 100;
/** On a busy table somebody is always in a short transaction, so who came after we began to wait is young too, up to here. */
const OLD_MS = 5000;
/** How long a server's worker takes to end once it is told to. */
const GIVE_WAY_MS = 500;
/** How often the waiting is told of while nothing changes. */
const TELL_EVERY_MS = 2000;

/** From here on it is noted where others can read it that it stays out of the queue. */
const NOTE_AFTER_MS = 1000;
/** So many of what is wanted are named. */
const SHOWN = 3;

/** What LOCK TABLE fails with that its statement might not. */
const REFUSALS: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.invalidSchemaName,
  SQLSTATE.insufficientPrivilege,
  SQLSTATE.wrongObjectType,
]);

export interface ObjectLocksOptions {
  /** That the transaction begins with, ready for SET; null: the session's own. */
  readonly searchPath: string | null;
  /** Whether statements first look whether what they make is there already: then they may need no lock at all. */
  readonly comparesFirst?: boolean;
  /** Whether the session has a lock_timeout of the file's own, which is to hold. */
  readonly hasOwnTimeout?: boolean;
}

/** What is done while the transaction is kept out of the queue. */
export interface WhileKeptOut {
  readonly tell: (reason: string, delayMs: number, keptOutMs: number) => Promise<void>;
  /** Called with each look. @returns in how many milliseconds to look again at the latest; null: any time. */
  readonly act: (held: HeldLocks) => Promise<number | null>;
}

/**
 * The strong locks that a transaction takes on what others use. Before each attempt it looks who holds them, from outside
 * the queue, where it holds up nobody; the attempt then takes them at its beginning, in a fixed order, within a short time.
 */
export class ObjectLocks {
  readonly #context: ExecutionContext;
  readonly #planned: PlannedMigration;
  readonly #wanted: WantedLocks;
  readonly #searchPath: string | null;
  readonly #comparesFirst: boolean;
  readonly #hasOwnTimeout: boolean;
  #found: readonly Wanted[] | null = null;
  /** What was found for it together with others, before any of them ran. */
  #foreseen: readonly Wanted[] | null = null;
  #takesEarly: boolean;
  #tries = 0;
  /** Whether the time is over, so that this attempt is to have all the time that it is given. */
  #isLast = false;
  #givesWayAfterMs: number | null = null;
  /** When a holder was first seen, for those whose age this role may not see. */
  readonly #firstSeen = new Map<number, number>();

  /**
   * @returns null where nobody can be held up, or where the file asks for an unlimited lock_timeout.
   */
  static of(
    context: ExecutionContext,
    planned: PlannedMigration,
    statements: readonly Statement[],
    options: ObjectLocksOptions,
  ): ObjectLocks | null {
    if (planned.lockTimeoutMs === 0) return null;
    const wanted = wantedLocks(statements);
    return wanted === null ? null : new ObjectLocks(context, planned, wanted, options);
  }

  constructor(
    context: ExecutionContext,
    planned: PlannedMigration,
    wanted: WantedLocks,
    { comparesFirst = false, hasOwnTimeout = false, searchPath }: ObjectLocksOptions,
  ) {
    this.#context = context;
    this.#planned = planned;
    this.#wanted = wanted;
    this.#searchPath = searchPath;
    this.#comparesFirst = comparesFirst;
    this.#hasOwnTimeout = hasOwnTimeout;
    this.#takesEarly = !comparesFirst;
  }

  /**
   * Asks the catalog for several migrations at once, which is much faster than for one after the other. What an earlier one of
   * them makes is not seen then, and is nobody's but theirs.
   * @throws GodwitError CONNECTION_LOST; the signal's reason.
   */
  static async foresee(
    session: Session,
    all: readonly ObjectLocks[],
    searchPath: string | null,
  ): Promise<void> {
    const requests = all.flatMap((locks) => locks.#wanted.requests.map((request) => ({ ...request, locks })));
    try {
      const found = await resolveLocks(session, searchPath, requests);
      const own = Map.groupBy(found, ({ request }) => request.locks);
      for (const locks of all) locks.#foreseen = strongestOf(own.get(locks) ?? []);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
    }
  }

  /** The statement that wants the first of them, to tell of where taking them failed. */
  get statement(): Statement {
    return this.#wanted.statement;
  }

  /** What they are on, in words; null: nothing is known of that. */
  get tables(): string | null {
    const names = (this.#found ?? []).map(({ schema, name }) => qualified(schema, name));
    if (names.length === 0) return null;
    const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
    return `${names.slice(0, SHOWN).join(", ")}${more}`;
  }

  /**
   * Waits until nobody who holds a conflicting lock is likely to keep it for long. No transaction may be open. What cannot be
   * asked keeps nothing from being tried.
   * @param deadline by the monotonic clock; then it is tried whoever is in the way.
   * @throws the signal's reason; GodwitError CONNECTION_LOST, LOCK_LOST.
   */
  async untilClear(deadline: number, { tell, act }: WhileKeptOut): Promise<void> {
    this.#tries += 1;
    this.#givesWayAfterMs = null;
    this.#found = this.#foreseen;
    this.#foreseen = null;
    // Only when a lock could not be had is it known that one is needed.
    if (this.#comparesFirst && this.#tries === 1) return;
    let pause: number | null = null;
    let began: number | null = null;
    let told = { reason: "", at: -Infinity };
    for (;;) {
      const holders = await this.#look();
      began ??= monotonicMs();
      const young = Math.max(YOUNG_MS, Math.min(monotonicMs() - began, OLD_MS));
      const settled = holders.filter(
        (holder) => holder.givesWayAfterMs === null && this.#ageOf(holder) >= young,
      );
      const left = deadline - monotonicMs();
      const [first] = settled;
      if (first === undefined || left <= 0) {
        this.#isLast = left <= 0;
        const giving = holders.map((holder) => holder.givesWayAfterMs ?? 0);
        if (settled.length === 0 && giving.some((ms) => ms > 0))
          this.#givesWayAfterMs = Math.max(...giving) + GIVE_WAY_MS;
        return;
      }
      const pids = [...new Set(settled.map(({ pid }) => pid ?? 0))];
      const againMs = await act({ locks: awaitedJson(this.#found ?? []), pids });
      pause = pauseMs(pause, 0, Math.random());
      const delayMs = Math.min(pause, againMs ?? Infinity, Math.max(1, Math.ceil(left)));
      const reason = this.#reason(first, settled);
      if (reason !== told.reason || monotonicMs() - told.at >= TELL_EVERY_MS) {
        told = { reason, at: monotonicMs() };
        await tell(reason, delayMs, told.at - began);
      }
      if (monotonicMs() - began + delayMs >= NOTE_AFTER_MS) await this.#note(first, pids);
      await sleep(delayMs, this.#context.signal);
    }
  }

  /** How long this attempt may stand in the queue, in milliseconds; null: as planned, since it may have to undo long work. */
  get budgetMs(): number | null {
    const { lockTimeoutMs } = this.#planned;
    if (this.#hasOwnTimeout) return null;
    if (this.#givesWayAfterMs !== null) return Math.max(this.#givesWayAfterMs, lockTimeoutMs);
    const { changesRows, requests } = this.#wanted;
    const takesAll = this.#takesEarly && (this.#found ?? []).every(({ early, mode }) => early === mode);
    if (this.#isLast || takesAll || changesRows || !requests.every(({ early }) => early)) return null;
    return queueBudgetMs(this.#tries, lockTimeoutMs);
  }

  /** As `budgetMs`, for a statement that no LOCK TABLE can stand before. */
  get standAloneMs(): number | null {
    const { lockTimeoutMs } = this.#planned;
    if (this.#hasOwnTimeout) return null;
    if (this.#givesWayAfterMs !== null) return Math.max(this.#givesWayAfterMs, lockTimeoutMs);
    return this.#isLast ? lockTimeoutMs : queueBudgetMs(this.#tries, lockTimeoutMs);
  }

  /**
   * What takes the locks, to send right behind BEGIN; the statements after it have the lock_timeout that they would have
   * without it.
   * @param lockTimeoutMs of the statements of this attempt; null: the planned one.
   */
  takeSql(lockTimeoutMs: number | null): string {
    const early = (this.#takesEarly ? (this.#found ?? []) : []).flatMap((one) =>
      one.early === null ? [] : [{ ...one, mode: one.early }],
    );
    if (early.length === 0) return "";
    if (this.#hasOwnTimeout) return `; ${lockTablesSql(early).join("; ")}`;
    const { lockTimeoutMs: planned } = this.#planned;
    const budget = lockTimeoutMs ?? (this.#isLast ? planned : queueBudgetMs(this.#tries, planned));
    const statements = [
      `SET LOCAL lock_timeout = ${budget}`,
      ...lockTablesSql(early),
      `SET LOCAL lock_timeout = ${lockTimeoutMs ?? planned}`,
    ];
    return `; ${statements.join("; ")}`;
  }

  /**
   * Whether `error` came from taking the locks, and not from a lock that somebody holds: a table is gone, or this role may
   * not lock it. Then the statements are to find out for themselves, and no lock is taken early any more.
   */
  refused(error: unknown): boolean {
    if (!this.#takesEarly || !REFUSALS.has(sqlstateOf(error))) return false;
    this.#takesEarly = false;
    return true;
  }

  async #look(): Promise<readonly ConflictingHolder[]> {
    const { session } = this.#context;
    try {
      this.#found ??= await this.#find();
      return await conflictingHolders(session, this.#found);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      this.#found ??= [];
      return [];
    }
  }

  async #find(): Promise<readonly Wanted[]> {
    const { session } = this.#context;
    return strongestOf(await resolveLocks(session, this.#searchPath, this.#wanted.requests));
  }

  /** Says in `pg_stat_activity` who is in the way. Not behind a pooler, where it would stay with a session of others. */
  async #note({ oid }: ConflictingHolder, pids: readonly number[]): Promise<void> {
    const { session, work } = this.#context;
    const on = this.#found?.find((one) => one.oid === oid);
    if (work.pooled || on === undefined) return;
    const { id: migration } = this.#planned;
    const relation = qualified(on.schema, on.name);
    try {
      await session.query(keptOutSql({ migration, mode: inPgLocks(on.mode), relation, pids }));
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
    }
  }

  #ageOf({ ageMs, pid }: ConflictingHolder): number {
    if (pid === null) return ageMs ?? Infinity;
    const now = monotonicMs();
    const seen = this.#firstSeen.get(pid) ?? now;
    this.#firstSeen.set(pid, seen);
    return ageMs ?? now - seen;
  }

  #reason(first: ConflictingHolder, all: readonly ConflictingHolder[]): string {
    const on = this.#found?.find(({ oid }) => oid === first.oid);
    const what = on === undefined ? "an object" : qualified(on.schema, on.name);
    return `${what} is in use, held by ${[...new Set(all.map(({ who }) => who))].join(", ")}`;
  }
}
