import { monotonicMs } from "../core/clock.ts";
import { readHistory, readSnapshot, type HistorySnapshot } from "../history/read.ts";
import { advisoryGate } from "../lock/advisory-gate.ts";
import { ringBell } from "../lock/bell.ts";
import { OPEN_GATE } from "../lock/gate.ts";
import type { WorkLeft } from "../lock/poll.ts";
import { waitForTurn } from "../lock/turn.ts";
import { compareWithHistory } from "../plan/compare.ts";
import { inspect } from "./inspect.ts";
import type { FleetIo } from "./io.ts";
import { isShared, providerFor } from "./lock-provider.ts";
import type { Participant } from "./participants.ts";

/**
 * Calls `body` when nobody else is at work on the only target that has work, with what was read of it then. On a direct connection
 * the advisory lock is kept meanwhile, which `body` takes again in the same session; a row that is leased is waited for. Whether it is
 * still free is decided where the lock is taken: this only spares the work of preparing what another run does.
 * @returns false if nothing was left to do.
 * @throws GodwitError LOCK_BUSY; what `body` throws.
 */
export async function withTurn(
  io: FleetIo,
  participant: Participant,
  body: (io: FleetIo, participant: Participant) => Promise<void>,
): Promise<boolean> {
  const { files, session, target } = participant;
  const provider = providerFor(io.config.lock, target, participant.facts);
  const isOwn = !isShared(target, participant.facts);
  const gate = isOwn && provider === "advisory" ? advisoryGate(session, target.scope) : OPEN_GATE;
  const started = monotonicMs();
  const turn = await waitForTurn({
    session,
    isOwn,
    scope: target.scope,
    gate,
    waitMs: io.lockWaitMs,
    signal: io.signal,
    onWaiting: (seen) => io.emit({ type: "lock.waiting", target: target.id, ...seen }),
    look: async () => workLeft(files, await readHistory(session, target.scope)),
  });
  if (turn === null) return false;
  const { hasWaited } = turn;
  try {
    const waitedMs = monotonicMs() - started;
    const lockWaitMs = Math.max(0, io.lockWaitMs - (hasWaited ? waitedMs : 0));
    await body(
      { ...io, lockWaitMs, keepsGate: gate !== OPEN_GATE },
      hasWaited ? await readAgain(io, participant) : participant,
    );
    return true;
  } finally {
    await gate.leave();
    if (gate !== OPEN_GATE) await ringBell(session, target.scope);
  }
}

async function readAgain(io: FleetIo, participant: Participant): Promise<Participant> {
  const { files, session, target } = participant;
  const { facts, ...snapshot } = await readSnapshot(session, target.scope);
  const findings = await inspect(io, session, target, files, snapshot);
  return { ...participant, facts, snapshot, findings };
}

/** What the history leaves to do of a stream's files. */
export function workLeft(files: Participant["files"], snapshot: HistorySnapshot): WorkLeft {
  const { pending, repeatables } = compareWithHistory(files, snapshot.rows);
  const left = pending.length + repeatables.length;
  return { needed: left > 0, pending: left };
}
