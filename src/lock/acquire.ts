import { crashPoint } from "../core/crash-points.ts";
import { pollLock, type PollOptions } from "./poll.ts";
import { claim, readLockRow, type Claim, type Claimant } from "./row.ts";

export interface AcquireOptions extends PollOptions {
  readonly by: Omit<Claimant, "provider">;
  /** Creates the history, or brings it to this version; called once, before its row is claimed. */
  readonly ensureHistory: () => Promise<void>;
}

/**
 * Takes a lock by trying again and again: through its gate, and then by claiming its row, which raises the fencing token. Works
 * the same for every provider, and providers exclude each other.
 * @returns null if the lock is not needed any more.
 * @throws GodwitError LOCK_BUSY when `waitMs` is over; what `ensureHistory` throws; the signal's reason.
 */
export async function acquireLock(options: AcquireOptions): Promise<Claim | null> {
  const { session, scope, gate, by } = options;
  let prepared = false;
  const inside = async (isFirst: boolean): Promise<Claim | "not needed" | null> => {
    crashPoint("lock.acquired");
    if (!prepared) await options.ensureHistory();
    prepared = true;
    crashPoint("history.upgraded");
    const seen = await readLockRow(session, scope);
    if (seen?.leased === true) return null;
    // Whoever had it meanwhile may have done everything.
    if (!isFirst && !(await options.look()).needed) return "not needed";
    return claim(session, scope, seen, { ...by, provider: gate.name });
  };
  return pollLock(options, async (isFirst) => {
    if (!(await gate.tryEnter())) return null;
    let acquired: Claim | "not needed" | null = null;
    try {
      acquired = await inside(isFirst);
      return acquired;
    } finally {
      if (acquired === null || acquired === "not needed") await gate.leave();
    }
  });
}
