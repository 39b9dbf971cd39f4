import { withLockedTarget, type LockedTarget } from "../execute/locked-target.ts";
import type { HistorySnapshot } from "../history/read.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { advisoryGate } from "../lock/advisory-gate.ts";
import { OPEN_GATE, type LockGate } from "../lock/gate.ts";
import { leadsElsewhere } from "../execute/direct-url-failure.ts";
import { reachSameDatabase } from "../postgres/same-database.ts";
import { SERVER_FACTS_SQL, serverFactsFrom, type ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { isShared, providerFor } from "./lock-provider.ts";
import { assertOwnSession } from "./pooled-target.ts";
import type { FleetIo } from "./io.ts";
import { withTargetSession, type Target } from "./target.ts";

/** How long a migration's transaction is tried again when a lock on an object cannot be had. */
const LOCK_RETRY_MS = 60_000;

interface Reached {
  readonly session: Session;
  readonly facts: ServerFacts;
}

/**
 * `withLockedTarget` with everything that a verb over the fleet has at hand: the provider of the configuration, where `auto` is the advisory
 * lock of a session of our own and a lease behind any proxy (law 10).
 * @throws GodwitError POOLER_NEEDS_DIRECT_URL where the advisory lock was asked for and no session of our own can be
 *   had; what `withLockedTarget` throws.
 */
export async function lockTarget<T>(
  io: FleetIo,
  target: Target,
  at: Reached,
  look: (snapshot: HistorySnapshot) => WorkLeft,
  body: (locked: LockedTarget) => Promise<T>,
): Promise<T | null> {
  const provider = providerFor(io.config.lock, target, at.facts);
  const run = async ({ session, facts }: Reached): Promise<T | null> =>
    withLockedTarget(
      {
        session,
        facts,
        isOwn: !isShared(target, facts),
        rings: io.keepsGate !== true,
        scope: target.scope,
        target: target.id,
        run: io.run,
        gate: await gateOf(io, target, provider, session),
        leaseMs: io.config.lock.leaseMs,
        direct: target.direct,
        searchPath: target.searchPath,
        lockTimeoutMs: io.config.safety.lockTimeoutMs,
        statementTimeoutMs: io.config.safety.statementTimeoutMs,
        lockWaitMs: io.lockWaitMs,
        courtesy: io.config.safety,
        lockRetryMs: io.lockRetryMs ?? LOCK_RETRY_MS,
        signal: io.signal,
        emit: io.emit,
        look,
      },
      body,
    );
  if (provider !== "advisory" || !isShared(target, at.facts)) return run(at);
  if (target.direct === null) assertOwnSession(at.facts);
  return withDirectSession(io, target, at.session, run);
}

async function gateOf(
  io: FleetIo,
  target: Target,
  provider: LockGate["name"],
  session: Session,
): Promise<LockGate> {
  if (provider === "lease") return OPEN_GATE;
  if (provider === "advisory") return advisoryGate(session, target.scope);
  const { openTargetGate } = await import("./redis-target.ts");
  return openTargetGate(io, target);
}

/** Runs `body` in a session past the pooler, which the advisory lock lives in. @throws GodwitError CONFIG_INVALID where it reaches another database. */
async function withDirectSession<T>(
  io: FleetIo,
  target: Target,
  pooled: Session,
  body: (reached: Reached) => Promise<T>,
): Promise<T> {
  const direct: Target = { ...target, settings: target.direct ?? target.settings };
  return withTargetSession(io, direct, async (session) => {
    const [row] = await session.rows(SERVER_FACTS_SQL);
    const facts = serverFactsFrom(row!, session.startupPid);
    assertOwnSession(facts);
    if (!(await reachSameDatabase(pooled, session))) throw leadsElsewhere();
    return body({ session, facts });
  });
}
