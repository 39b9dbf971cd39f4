import { monotonicMs } from "../core/clock.ts";
import { isGodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { verdictOf } from "../postgres/error-verdict.ts";
import type { FleetIo } from "./io.ts";
import { RECONNECT_WAIT_MS } from "./lasting-target.ts";

/** A server that is there each time and gone before it was read is not on its way back. */
const MOST_ATTEMPTS = 5;
const PAUSE_MS = 200;

/**
 * Begins a run from its start again after the connection was lost while it was only reading and planning, within
 * `reconnectWaitMs` from the first loss on. From where it has begun to change something, targets see to that themselves.
 * @param lost what ended the first attempt.
 * @param hasBegun whether the run has begun to change something.
 * @throws what ended the last attempt; `lost` if it is none of a connection.
 */
export async function beginAgain<T>(
  io: FleetIo,
  lost: unknown,
  attempt: (io: FleetIo) => Promise<T>,
  hasBegun: () => boolean,
): Promise<T> {
  const limit = io.reconnectWaitMs ?? RECONNECT_WAIT_MS;
  const started = monotonicMs();
  let error = lost;
  for (let attempts = 1; ; attempts++) {
    const left = limit - (monotonicMs() - started);
    if (!isGodwitError(error, "CONNECTION_LOST") || verdictOf(error) !== "retry") throw error;
    if (hasBegun() || left <= 0 || attempts === MOST_ATTEMPTS || io.signal?.aborted === true) throw error;
    io.emit({
      type: "warning",
      target: null,
      message: `${error.message}; nothing was begun, so it is read again`,
      hint: null,
    });
    await sleep(PAUSE_MS * attempts * (0.5 + Math.random()), io.signal);
    try {
      return await attempt({ ...io, connectWaitMs: Math.max(io.connectWaitMs, left) });
    } catch (next) {
      error = next;
    }
  }
}
