import type { Session } from "../postgres/session.ts";
import { literal } from "../sql/quote.ts";

/**
 * Runs `body` without a lock_timeout and puts back the one that was there: a finite one abandons CONCURRENTLY half-way and
 * leaves an INVALID index (law 7). After a failure it is left at 0, for the session's reset to put right.
 */
export async function withoutLockTimeout<T>(session: Session, body: () => Promise<T>): Promise<T> {
  const [row] = await session.rows("SELECT pg_catalog.current_setting('lock_timeout') AS before");
  await session.query("SET lock_timeout = 0");
  const result = await body();
  // Even when interrupted: what `body` did is done, and must not be taken for a failure.
  await session.cleanup(() => session.query(`SET lock_timeout = ${literal(row?.before ?? "0")}`));
  return result;
}
