import { isDatabaseError } from "../postgres/database-error.ts";
import { sleep } from "../core/interrupt.ts";
import type { Session } from "../postgres/session.ts";
import { ident, literal } from "../sql/quote.ts";
import { lockChannel, type LockScope } from "./key.ts";

/** A pooler that hangs must keep nobody who is done. */
const RING_WITHIN_MS = 1000;

/**
 * Tells those that wait for a lock that it was given back (NOTIFY). Asked again and again by fifty of them, the server and
 * the machine have that much less time for the one they wait for. Never throws, bounded in time: who is not told asks by
 * himself, a little later.
 */
export async function ringBell(session: Session, scope: LockScope): Promise<void> {
  if (session.lost) return;
  const ringing = session
    .cleanup(() => session.query(`SELECT pg_catalog.pg_notify(${literal(lockChannel(scope))}, '')`))
    .catch(() => undefined);
  const over = new AbortController();
  await Promise.race([ringing, sleep(RING_WITHIN_MS, over.signal).catch(() => undefined)]);
  over.abort();
}

/**
 * What a waiter hears it with (LISTEN), in a session that is its own. A session that listens is idle: it has neither a
 * transaction nor a snapshot (law 2).
 */
export class Bell {
  readonly #session: Session;
  readonly #channel: string;
  #beginning: Promise<void> = Promise.resolve();
  #listening = false;
  #rings = 0;
  #answered = 0;
  #wake: (() => void) | null = null;

  constructor(session: Session, scope: LockScope) {
    this.#session = session;
    this.#channel = lockChannel(scope);
  }

  /** Whether it can be heard. */
  get listening(): boolean {
    return this.#listening;
  }

  /** Sends what begins to listen, and does not wait: whatever is asked next is answered after it. */
  listen(): void {
    this.#beginning = this.#begin();
    this.#beginning.catch(() => undefined);
  }

  /** Waits until it is known whether this server lets us listen. @throws GodwitError CONNECTION_LOST; the signal's reason. */
  async ready(): Promise<void> {
    await this.#beginning;
  }

  async #begin(): Promise<void> {
    this.#session.onNotification = (channel) => {
      if (channel !== this.#channel) return;
      this.#rings++;
      this.#wake?.();
    };
    try {
      await this.#session.query(`LISTEN ${ident(this.#channel)}`);
      this.#listening = true;
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
    }
  }

  /**
   * Waits until it rings, `ms` milliseconds at most; at once if it rang since the last time.
   * @returns whether it rang.
   * @throws the signal's reason.
   */
  async rung(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#rings === this.#answered) {
      const waking = new AbortController();
      this.#wake = () => waking.abort();
      const signals = signal === undefined ? waking.signal : AbortSignal.any([signal, waking.signal]);
      await sleep(ms, signals).catch((error: unknown) => {
        if (!waking.signal.aborted || signal?.aborted === true) throw error;
      });
      this.#wake = null;
    }
    const rang = this.#rings > this.#answered;
    this.#answered = this.#rings;
    return rang;
  }

  /** Listens no longer. */
  async stop(): Promise<void> {
    this.#session.onNotification = undefined;
    await this.#beginning;
    if (!this.#listening) return;
    this.#listening = false;
    await this.#session.query(`UNLISTEN ${ident(this.#channel)}`);
  }
}
