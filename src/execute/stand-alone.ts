import type { Session } from "../postgres/session.ts";
import { literal } from "../sql/quote.ts";

/**
 * Gives a session what a statement outside any transaction block needs: writes, and for CONCURRENTLY no lock_timeout, since a
 * finite one abandons it half-way and leaves an INVALID index (law 7).
 * @returns puts the session back as a work session is. To be called once the statement's outcome is recorded: should
 *   that fail, the outcome must not be lost.
 */
export async function letStandAlone(session: Session, concurrently: boolean): Promise<() => Promise<void>> {
  let loose = "SET default_transaction_read_only = off";
  let tight = "SET default_transaction_read_only = on";
  if (concurrently) {
    const [row] = await session.rows("SELECT pg_catalog.current_setting('lock_timeout') AS before");
    loose += "; SET lock_timeout = 0";
    tight += `; SET lock_timeout = ${literal(row?.before ?? "0")}`;
  }
  await session.query(loose);
  return async () => {
    await session.cleanup(() => session.query(tight));
  };
}
