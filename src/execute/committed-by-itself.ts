import type { Session } from "../postgres/session.ts";

/**
 * Counts the transactions of a session, to tell whether a piece of work that failed had committed anything before: each of its own
 * has the next local number (manual, pg_locks.virtualxid), and so has each that a procedure begins behind its COMMIT.
 */
export class TransactionCount {
  readonly #session: Session;
  readonly #before: number;

  private constructor(session: Session, before: number) {
    this.#session = session;
    this.#before = before;
  }

  /** To be called right before the work. */
  static async begin(session: Session): Promise<TransactionCount> {
    return new TransactionCount(session, await localNumber(session));
  }

  /**
   * Whether the work was so many transactions and no more; where the session is lost nothing can be told, and it was not. What
   * the server does by itself may make it appear to be more.
   */
  async wasOnly(transactions: number): Promise<boolean> {
    const after = await this.#session.cleanup(() => localNumber(this.#session));
    return after === this.#before + transactions + 1;
  }
}

async function localNumber(session: Session): Promise<number> {
  const [row] = await session.rows(
    `SELECT pg_catalog.split_part(virtualxid, '/', 2) AS number FROM pg_catalog.pg_locks
     WHERE locktype = 'virtualxid' AND pid = pg_catalog.pg_backend_pid()`,
  );
  return Number(row?.number ?? Number.NaN);
}
