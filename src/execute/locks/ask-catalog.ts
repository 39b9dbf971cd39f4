import type { Session, TextRow } from "../../postgres/session.ts";

/** A catalog that is locked for so long keeps the statements waiting as well, who have a limit of their own. */
const LOCK_TIMEOUT_MS = 1000;
/** What is asked takes milliseconds, and a second or two for thousands of migrations at once. */
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * Asks the catalog a question in a transaction of its own, one message long, with limits of its own: what a file has set, or
 * what a session has behind a pooler, may be none. Not SERIALIZABLE, whatever the role's default: DEFERRABLE then waits for
 * others (manual, SET TRANSACTION). No transaction may be open.
 * @param searchPath to look names up along, ready for SET; null: the session's own.
 * @throws the server's error, the transaction that it came from rolled back; GodwitError CONNECTION_LOST; the signal's reason.
 */
export async function askCatalog(
  session: Session,
  question: string,
  searchPath: string | null,
): Promise<readonly TextRow[]> {
  const path = searchPath === null ? "" : `SET LOCAL search_path = ${searchPath}; `;
  const limits = `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; `;
  try {
    const results = await session.results(
      `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; ${limits}${path}${question}; COMMIT`,
    );
    return results.at(-2)!.rows;
  } catch (error) {
    await session.cleanup(() => session.query("ROLLBACK"));
    throw error;
  }
}
