/** A signal that is aborted by a limit or by the caller's own signal, whichever comes first. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Whether it was the limit. */
  readonly expired: boolean;
  /** Must be called when the work is done, or the timer lives on. */
  clear(): void;
}

/** @param ms the limit in milliseconds; the signal's reason is then `reason`. */
export function startTimeLimit(ms: number, reason: Error, parent?: AbortSignal): TimeLimit {
  const controller = new AbortController();
  const stop = (): void => controller.abort(parent!.reason);
  // setTimeout fires at once for more than 2^31 - 1 ms.
  const timer = setTimeout(() => controller.abort(reason), Math.min(ms, 0x7fffffff));
  if (parent?.aborted === true) stop();
  else parent?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    get expired() {
      return controller.signal.aborted && controller.signal.reason === reason;
    },
    clear() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", stop);
    },
  };
}

/** Settles as the promise does, but rejects with the signal's reason as soon as that is aborted. */
export async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
