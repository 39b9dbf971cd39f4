import { isGodwitError } from "../core/error.ts";
import type { HistoryScope } from "../history/read.ts";
import type { LockGate } from "../lock/gate.ts";
import { lockKey } from "../lock/key.ts";
import { unlessNotThere } from "../lock/unless-not-there.ts";
import { SERVER_FACTS_SQL, serverFactsFrom, type ServerFacts } from "../postgres/server-facts.ts";
import { openSession, type Session } from "../postgres/session.ts";
import type { ConnectionSettings } from "../postgres/types.ts";
import { ident, literal } from "../sql/quote.ts";
import { directUrlFailure, leadsElsewhere } from "./direct-url-failure.ts";
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
  const work = await openSession(direct, { applicationName, signal }).catch((error: unknown) => {
    throw isGodwitError(error, "DATABASE_UNREACHABLE") ? directUrlFailure(error) : error;
  });
  try {
    const [row] = await work.rows(SERVER_FACTS_SQL);
    const facts = serverFactsFrom(row!, work.startupPid);
    await assertSameDatabase(session, work, scope, held);
    return await body({ session: work, facts, pooled: facts.pooled, signal });
  } finally {
    work.close();
  }
}

/** The lock's row is seen only where it was claimed; another database may have one of its own, with a higher token even. */
async function assertSameDatabase(
  session: Session,
  work: Session,
  scope: HistoryScope,
  held: HeldLock,
): Promise<void> {
  const there = await ownerOfLock(work, scope);
  if (there?.token === held.token && there.owner === held.owner) return;
  // Somebody may have taken the lock over just now.
  const here = await ownerOfLock(session, scope);
  const again = await ownerOfLock(work, scope);
  if (here !== null && again !== null && here.token === again.token && here.owner === again.owner) return;
  throw leadsElsewhere();
}

async function ownerOfLock(
  session: Session,
  scope: HistoryScope,
): Promise<{ readonly token: number; readonly owner: string } | null> {
  const reading = session.rows(
    `SELECT l.token, l.owner FROM ${ident(scope.schema)}.migration_locks l WHERE l.key = ${literal(lockKey(scope))}`,
  );
  const row = (await unlessNotThere(reading))?.[0];
  return row === undefined ? null : { token: Number(row.token), owner: row.owner ?? "" };
}
