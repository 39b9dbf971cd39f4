import type { Session } from "../postgres/session.ts";
import { literal } from "../sql/quote.ts";
import type { StepLimits } from "./patient.ts";

/**
 * How long code that runs outside of any transaction may do something else between two of its queries. Longer than a session may be
 * idle otherwise, and not for ever: a client that was stopped there would hold the lock until somebody ends it.
 */
const CODE_IDLE_MS = 3_600_000;

/** What stands alone. */
export interface Alone {
  /** Its own limits, where it is patient; null: those that the session has. */
  readonly limits: StepLimits | null;
  readonly isCode: boolean;
}

/**
 * Gives a session what a statement outside any transaction block needs: writes, and where it is patient limits of its own: a
 * finite lock_timeout would abandon CONCURRENTLY half-way and leave an INVALID index (law 7); and for code time for itself.
 * @returns puts the session back as a work session is. To be called once the statement's outcome is recorded: should
 *   that fail, the outcome must not be lost.
 */
export async function letStandAlone(
  session: Session,
  { limits, isCode }: Alone,
): Promise<() => Promise<void>> {
  const [row] = await session.rows(
    `SELECT pg_catalog.current_setting('lock_timeout') AS lock, pg_catalog.current_setting('statement_timeout') AS statement,
       pg_catalog.current_setting('idle_session_timeout') AS idle`,
  );
  const before = [
    `SET lock_timeout = ${literal(row?.lock ?? "0")}`,
    `SET statement_timeout = ${literal(row?.statement ?? "0")}`,
    `SET idle_session_timeout = ${literal(row?.idle ?? "0")}`,
  ];
  const idle = isCode ? [`SET idle_session_timeout = ${CODE_IDLE_MS}`] : [];
  const own =
    limits === null
      ? []
      : [
          `SET lock_timeout = ${limits.lockTimeoutMs}`,
          `SET statement_timeout = ${limits.statementTimeoutMs}`,
        ];
  await session.query(["SET default_transaction_read_only = off", ...own, ...idle].join("; "));
  return async () => {
    const back = ["SET default_transaction_read_only = on", ...before].join("; ");
    await session.cleanup(() => session.query(back));
  };
}
