import type { Config } from "../config/types.ts";
import type { Emit } from "../core/events.ts";
import type { RunRecord } from "../history/runs.ts";

/** What every verb over the fleet is given. */
export interface FleetIo {
  readonly config: Config;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
  /** How long an unreachable database is tried again, in milliseconds; 0: one attempt. */
  readonly connectWaitMs: number;
  /** How long a run goes on by itself once its connection is lost, in milliseconds; 0: not at all; absent: a minute. */
  readonly reconnectWaitMs?: number;
  /** How long to wait for Godwit's own lock, in milliseconds. */
  readonly lockWaitMs: number;
  /** Whoever asks for the lock tells those that wait when it is given back, since it keeps its gate for longer; absent: no. */
  readonly keepsGate?: boolean;
  /** How long a transaction is tried again when locks on objects cannot be had, in milliseconds; absent: a minute. */
  readonly lockRetryMs?: number;
  readonly run: RunRecord;
}
