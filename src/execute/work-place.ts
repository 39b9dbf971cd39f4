import { GodwitError } from "../core/error.ts";
import type { HistoryScope } from "../history/read.ts";
import type { LockGate } from "../lock/gate.ts";
import { readLockRow } from "../lock/row.ts";
import { SERVER_FACTS_SQL, serverFactsFrom, type ServerFacts } from "../postgres/server-facts.ts";
import { openSession, type Session } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";
import type { HeldLock } from "./held-lock.ts";

/** The session that a holder works in. */
export interface WorkPlace {
  readonly session: Session;
  readonly facts: ServerFacts;
  /** The server's sessions are shared with others between transactions: nothing may rely on one (law 10). */
  readonly pooled: boolean;
  /** Aborted when the run is, and when the lock is lost. */
  readonly signal: AbortSignal | undefined;
}

export interface WorkPlaceOptions {
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly scope: HistoryScope;
  readonly gate: LockGate;
  readonly direct: ConnectionSettings | null;
  readonly signal: AbortSignal | undefined;
}

/**
 * Has the work done past the pooler where `direct` says how, else in the session that asked for the lock: a second one could be waited
 * for in vain where a pool is full of runs that wait for the lock.
 * @throws GodwitError CONFIG_INVALID where `direct` reaches another database; DATABASE_UNREACHABLE; what `body` throws.
 */
export async function withWorkPlace<T>(
  options: WorkPlaceOptions,
  held: HeldLock,
  body: (place: WorkPlace) => Promise<T>,
): Promise<T> {
  const { session, facts, direct, gate } = options;
  const { lost } = held;
  const signals = [options.signal, lost].filter((one) => one !== null && one !== undefined);
  const signal = signals.length < 2 ? signals[0] : AbortSignal.any(signals);
  if (direct !== null && gate.name !== "advisory") return withDirect(options, held, direct, signal, body);
  const place = { session, facts, pooled: facts.pooled, signal };
  return lost === null ? body(place) : session.under(lost, () => body(place));
}

async function withDirect<T>(
  { session, scope }: WorkPlaceOptions,
  held: HeldLock,
  direct: ConnectionSettings,
  signal: AbortSignal | undefined,
  body: (place: WorkPlace) => Promise<T>,
): Promise<T> {
  const applicationName = session.settings.applicationName ?? "godwit";
  const work = await openSession(direct, { applicationName, signal });
  try {
    const [row] = await work.rows(SERVER_FACTS_SQL);
    const facts = serverFactsFrom(row!, work.startupPid);
    await assertSameDatabase(work, scope, held);
    return await body({ session: work, facts, pooled: facts.pooled, signal });
  } finally {
    work.close();
  }
}

/** The lock's row is seen only where it was claimed. */
async function assertSameDatabase(session: Session, scope: HistoryScope, held: HeldLock): Promise<void> {
  const row = await readLockRow(session, scope).catch(() => null);
  if (row !== null && row.token >= held.token) return;
  throw new GodwitError(
    "CONFIG_INVALID",
    "direct_url reaches another database than database: the lock taken there is not seen here",
    {
      hint: "let both name the same database of the same server: direct_url past the pooler, database through it",
    },
  );
}
