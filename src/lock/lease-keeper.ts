import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { startTimeLimit, untilAborted } from "../postgres/connecting/time-limit.ts";
import { openSession, type Session } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";
import type { LockGate } from "./gate.ts";
import type { LockScope } from "./key.ts";
import { renewLease, type Ownership } from "./row.ts";

/** A lease is renewed so many times before it would end. */
const RENEWALS = 3;

export interface LeaseKeeperOptions {
  /** How to reach the row of the lock. */
  readonly settings: ConnectionSettings;
  /** One that is idle while the lock is held; null: one is opened when the lease is to be renewed. */
  readonly session: Session | null;
  readonly scope: LockScope;
  readonly gate: LockGate;
  readonly ownership: Ownership;
  readonly leaseMs: number;
  /** Told when the lease could not be renewed, and again only after it could. */
  readonly onTrouble: (message: string) => void;
}

/**
 * Renews a lease until it is given back, and the gate with it. Where the row says that somebody else holds the lock, `lost` is
 * aborted so that the work ends at once; whether or not it does, it can commit nothing any more (law 3). Trouble with the
 * connection or the gate alone does not end the work: nobody took the lock yet.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #lost = new AbortController();
  #session: Session | null;
  /** Those that gave no answer; one of them may be the idle one. */
  readonly #silent = new WeakSet<Session>();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #stopped = false;
  #troubled = false;
  #renewedAt = monotonicMs();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#plan();
  }

  /** Aborted with GodwitError LOCK_LOST when somebody else holds the lock. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends the renewals; the lease lasts for what is left of it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#renewing;
  }

  /** Ends the renewals and what was opened for them. */
  async close(): Promise<void> {
    await this.stop();
    if (this.#session !== this.#options.session) this.#session?.close();
  }

  #plan(): void {
    const { leaseMs } = this.#options;
    this.#timer = setTimeout(() => {
      this.#renewing = this.#renew();
    }, leaseMs / RENEWALS);
    // Whatever is being kept has a connection of its own that keeps the process alive.
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const { scope, gate, ownership } = this.#options;
    try {
      const session = await this.#reach();
      const renewed = await this.#inTime(session, renewLease(session, scope, ownership));
      if (renewed) this.#renewedAt = monotonicMs();
      else this.#lost.abort(taken());
      const entered = await gate.renew();
      if (entered === "kept") this.#troubled = false;
      else this.#trouble(`the lock's key in ${gate.name} is ${entered}; the lease in the database holds on`);
    } catch (error) {
      const seconds = Math.round((monotonicMs() - this.#renewedAt) / 1000);
      const reason = error instanceof Error ? error.message : String(error);
      this.#trouble(`the lease could not be renewed for ${seconds} s: ${reason}`);
    }
    if (!this.#stopped && !this.lost.aborted) this.#plan();
  }

  #trouble(message: string): void {
    if (this.#stopped || this.#troubled) return;
    this.#troubled = true;
    this.#options.onTrouble(message);
  }

  /** A server or a pooler that hangs never answers: what is left of the lease is for another connection, and the end waits for none. */
  async #inTime<T>(session: Session, answer: Promise<T>): Promise<T> {
    const silence = new Error("the server does not answer");
    const limit = startTimeLimit(this.#options.leaseMs / RENEWALS, silence, this.#closing.signal);
    try {
      return await untilAborted(answer, limit.signal);
    } catch (error) {
      if (limit.signal.aborted) this.#silent.add(session);
      throw error;
    } finally {
      limit.clear();
    }
  }

  async #reach(): Promise<Session> {
    const { session, settings, leaseMs } = this.#options;
    const before = this.#session;
    if (before !== null && !before.lost && !this.#silent.has(before)) return before;
    if (this.#session !== session) this.#session?.close();
    const limit = { ...settings, connectTimeoutSeconds: Math.ceil(leaseMs / 1000) };
    this.#session = await openSession(limit, {
      applicationName: "godwit lease",
      signal: this.#closing.signal,
    });
    return this.#session;
  }
}

function taken(): GodwitError {
  return new GodwitError(
    "LOCK_LOST",
    "another run took over Godwit's lock; nothing that was not committed by then will be",
    { hint: "godwit status shows what the other run did; then run the same command again" },
  );
}
