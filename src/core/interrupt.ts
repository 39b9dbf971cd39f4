import { setTimeout as delay } from "node:timers/promises";
import { GodwitError } from "./error.ts";

/** Why a command is told to stop; passed as the `reason` of the AbortSignal it runs under. */
export function interrupted(signal: "SIGINT" | "SIGTERM"): GodwitError {
  return signal === "SIGINT"
    ? new GodwitError("INTERRUPTED", "interrupted", {
        hint: "the state is consistent; run the same command again",
      })
    : new GodwitError("TERMINATED", "terminated", {
        hint: "the state is consistent; run the same command again",
      });
}

/** Throws the signal's reason as a GodwitError (INTERRUPTED for reasons of others) if it is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortReason(signal);
}

/** The error that an aborted signal stands for. */
export function abortReason(signal: AbortSignal): GodwitError {
  return signal.reason instanceof GodwitError
    ? signal.reason
    : new GodwitError("INTERRUPTED", "interrupted", { cause: signal.reason });
}

/** Waits, and throws the signal's reason as soon as it is aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}
