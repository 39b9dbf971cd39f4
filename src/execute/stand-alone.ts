import type { Session } from "../postgres/session.ts";
import { literal } from "../sql/quote.ts";

/**
 * How long code that runs outside of any transaction may do something else between two of its queries. Longer than a session may be
 * idle otherwise, and not for ever: a client that was stopped there would hold the lock until somebody ends it.
 */
const CODE_IDLE_MS = 3_600_000;

/**
 * Gives a session what a statement outside any transaction block needs: writes, and for CONCURRENTLY no lock_timeout, since a
 * finite one abandons it half-way and leaves an INVALID index (law 7); and for code time for itself.
 * @returns puts the session back as a work session is. To be called once the statement's outcome is recorded: should
 *   that fail, the outcome must not be lost.
 */
export async function letStandAlone(
  session: Session,
  what: "CONCURRENTLY" | "code" | "statement",
): Promise<() => Promise<void>> {
  const [row] = await session.rows(
    "SELECT pg_catalog.current_setting('lock_timeout') AS wait, pg_catalog.current_setting('idle_session_timeout') AS idle",
  );
  const [wait, idle] = [literal(row?.wait ?? "0"), literal(row?.idle ?? "0")];
  await session.query(
    `SET default_transaction_read_only = off; SET lock_timeout = ${what === "CONCURRENTLY" ? "0" : wait}` +
      (what === "code" ? `; SET idle_session_timeout = ${CODE_IDLE_MS}` : ""),
  );
  return async () => {
    const back = `SET default_transaction_read_only = on; SET lock_timeout = ${wait}; SET idle_session_timeout = ${idle}`;
    await session.cleanup(() => session.query(back));
  };
}
