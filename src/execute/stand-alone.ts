import type { Session } from "../postgres/session.ts";
import { literal } from "../sql/quote.ts";

/**
 * Gives a session what a statement outside any transaction block needs: writes, and for CONCURRENTLY no lock_timeout, since a
 * finite one abandons it half-way and leaves an INVALID index (law 7).
 * @returns puts the session back as a work session is. To be called once the statement's outcome is recorded: should
 *   that fail, the outcome must not be lost.
 */
export async function letStandAlone(session: Session, concurrently: boolean): Promise<() => Promise<void>> {
  const [row] = await session.rows("SELECT pg_catalog.current_setting('lock_timeout') AS before");
  const before = literal(row?.before ?? "0");
  await session.query(
    `SET default_transaction_read_only = off; SET lock_timeout = ${concurrently ? "0" : before}`,
  );
  return async () => {
    const back = `SET default_transaction_read_only = on; SET lock_timeout = ${before}`;
    await session.cleanup(() => session.query(back));
  };
}
