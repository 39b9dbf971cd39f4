import { isDatabaseError } from "../postgres/database-error.ts";
import { openSession, type Session, type TextRow } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";

/** A look takes milliseconds: one that takes so long has lost its server. */
const ANSWER_WITHIN_MS = 5000;

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
  readonly #closing = new AbortController();
  #opening: Promise<Session> | null = null;

  constructor(settings: ConnectionSettings, applicationName: string) {
    this.#settings = settings;
    this.#applicationName = applicationName;
  }

  /** @throws what the server or the connection to it has to say; nothing is tried again. */
  async rows(sql: string, values: readonly string[]): Promise<readonly TextRow[]> {
    const opening = (this.#opening ??= this.#open());
    let session: Session | undefined;
    try {
      session = await opening;
      return await inTime(session.rows(sql, values));
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
    });
    // It must wait for nobody, whatever the role's own settings are; compiling would take longer than the look.
    session
      .query(`SET lock_timeout = 1000; SET statement_timeout = ${ANSWER_WITHIN_MS}; SET jit = off`)
      .catch(() => undefined);
    return session;
  }
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
