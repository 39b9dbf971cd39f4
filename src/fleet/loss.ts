import { monotonicMs } from "../core/clock.ts";
import type { GodwitError } from "../core/error.ts";
import type { GodwitEvent } from "../core/events.ts";
import type { LogEntry } from "../history/log-chain.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3000;

/** One loss of a session, from then on until the work goes on. */
export class Loss {
  /** What ended the session; null: none was lost. */
  first: GodwitError | null = null;
  /** The migration that it struck; told only once it is sure that the run does not go on by itself. */
  failed: Extract<GodwitEvent, { type: "migration.failed" }> | null = null;
  /** What ran then; null: nothing did. */
  migrationId: string | null = null;
  /** Sessions that were tried for since. */
  attempts = 0;
  #at = 0;
  #pause = FIRST_PAUSE_MS;

  begin(first: GodwitError, migrationId: string | null): void {
    this.first = first;
    this.migrationId = migrationId;
    this.attempts = 0;
    this.#at = monotonicMs();
    this.#pause = FIRST_PAUSE_MS;
  }

  get elapsedMs(): number {
    return monotonicMs() - this.#at;
  }

  left(limitMs: number): number {
    return Math.max(0, limitMs - this.elapsedMs);
  }

  /** The next pause; jitter keeps many runs that lost the same server from coming back in step. */
  pauseMs(limitMs: number): number {
    const pause = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    return Math.round(Math.min(pause, Math.max(1, this.left(limitMs))));
  }
}

/** What the history keeps of it: the loss itself could not be written when it happened. */
export function resumedEntry(loss: Loss, { message, code, sqlstate }: GodwitError): LogEntry {
  const { attempts, elapsedMs, migrationId } = loss;
  return {
    level: "warning",
    event: "run.resumed",
    migrationId,
    message: `went on by itself: ${message}`,
    details: { code, sqlstate: sqlstate ?? null, attempts, elapsed_ms: Math.round(elapsedMs) },
  };
}
