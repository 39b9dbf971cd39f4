import { isDatabaseError } from "../postgres/database-error.ts";
import { openSession, type Session, type TextRow } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";

/** A look takes milliseconds: one that takes so long has lost its server. */
const ANSWER_WITHIN_MS = 5000;
/** Nobody is kept waiting for a connection that cannot be had for longer than this. */
const CONNECT_WITHIN_MS = 10_000;

/** It must wait for nobody, whatever the role's own settings are; compiling would take longer than the look. */
const limitsSql = (set: "SET" | "SET LOCAL"): string =>
  `${set} lock_timeout = 1000; ${set} statement_timeout = ${ANSWER_WITHIN_MS}; ${set} jit = off`;

/**
 * The session that is looked at. Its pid alone would not do: where a connection string names several hosts, the second session may
 * reach another server.
 */
export interface WatchedBackend {
  readonly pid: number;
  /** As in `ServerFacts`; null: it cannot be seen, and nobody is taken for it. */
  readonly start: string | null;
}

/**
 * The session that looks at the work session from outside. It is opened when first needed and kept for the run; one that is lost is
 * opened anew with the next query.
 */
export class SecondSession {
  readonly #settings: ConnectionSettings;
  readonly #applicationName: string;
  readonly #pooled: boolean;
  readonly #closing = new AbortController();
  #opening: Promise<Session> | null = null;

  /** @param pooled as in `WorkSettings`: nothing may be set then that outlasts a transaction. */
  constructor(settings: ConnectionSettings, applicationName: string, pooled: boolean) {
    this.#settings = settings;
    this.#applicationName = applicationName;
    this.#pooled = pooled;
  }

  /** @throws what the server or the connection to it has to say; nothing is tried again. */
  async rows(sql: string, values: readonly string[]): Promise<readonly TextRow[]> {
    const opening = (this.#opening ??= this.#open());
    let session: Session | undefined;
    try {
      session = await opening;
      return await inTime(this.#pooled ? inTransaction(session, sql, values) : session.rows(sql, values));
    } catch (error) {
      if (isDatabaseError(error) && session !== undefined && !session.lost) throw error;
      if (this.#opening === opening) this.#opening = null;
      session?.close();
      throw error;
    }
  }

  /** Ends the session; one that is still being opened is given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    const session = await this.#opening?.catch(() => null);
    session?.close();
  }

  async #open(): Promise<Session> {
    const session = await openSession(this.#settings, {
      applicationName: this.#applicationName,
      signal: this.#closing.signal,
      timeoutMs: CONNECT_WITHIN_MS,
    });
    if (!this.#pooled) session.query(limitsSql("SET")).catch(() => undefined);
    return session;
  }
}

/** Behind a pooler the next statement may reach another session of the server, and this one be somebody else's. */
async function inTransaction(
  session: Session,
  sql: string,
  values: readonly string[],
): Promise<readonly TextRow[]> {
  const begun = session.query(`BEGIN READ ONLY; ${limitsSql("SET LOCAL")}`);
  const rows = session.rows(sql, values);
  const ended = session.query("COMMIT");
  await Promise.allSettled([begun, rows, ended]);
  return rows;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the server does not answer")), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
