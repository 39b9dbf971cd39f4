import type { Session } from "../postgres/session.ts";
import { ident, literal } from "../sql/quote.ts";
import { lockKey, type LockScope } from "./key.ts";
import { leasedSql } from "./lease-sql.ts";
import { pollLock, type PollOptions } from "./poll.ts";
import { unlessNotThere } from "./unless-not-there.ts";

/**
 * Waits until it is this run's turn, before it does what takes time: of many that start at once the others would all prepare
 * the work that the first one does. The gate is entered, and left by the caller; nothing is claimed.
 * @returns null: nothing is left to do; else whether somebody else was at work first, so that what was read before is old.
 * @throws GodwitError LOCK_BUSY when `waitMs` is over; the signal's reason.
 */
export async function waitForTurn(options: PollOptions): Promise<Turn | null> {
  const { session, scope, gate } = options;
  let lookedAt: string | null = null;
  return pollLock(options, async (isFirst): Promise<Turn | "not needed" | null> => {
    const sight = await readSight(session, scope);
    if (sight.isLeased) return null;
    // The history is read again only where something was written since, and not while the writer goes on.
    if (!isFirst && sight.isGivenBack && sight.mark !== lookedAt) {
      lookedAt = sight.mark;
      if (!(await options.look()).needed) return "not needed";
    }
    return (await gate.tryEnter()) ? { hasWaited: !isFirst } : null;
  });
}

export interface Turn {
  readonly hasWaited: boolean;
}

interface Sight {
  readonly isLeased: boolean;
  readonly isGivenBack: boolean;
  /** Changes with every commit of a holder. */
  readonly mark: string;
}

async function readSight(session: Session, scope: LockScope): Promise<Sight> {
  const rows = await unlessNotThere(
    session.rows(
      `SELECT l.token, l.log_seq, ${leasedSql("l")} AS leased, l.expires_at IS NOT NULL AND l.lease_ms IS NULL AS given_back
       FROM ${ident(scope.schema)}.migration_locks l WHERE l.key = ${literal(lockKey(scope))}`,
    ),
  );
  const row = rows?.[0];
  return {
    isLeased: row?.leased === "t",
    isGivenBack: row?.given_back === "t",
    mark: `${row?.token ?? ""}/${row?.log_seq ?? ""}`,
  };
}
