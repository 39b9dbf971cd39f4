import { cpus } from "node:os";
import { sleep } from "../src/core/interrupt.ts";

const SAMPLE_MS = 150;
/** Of all processors together. */
const QUIET_SHARE = 0.15;
const PATIENCE_MS = 3 * 60_000;

/** Waits for the rest of the machine to be idle before a measurement, and counts the times when it was not. */
export interface QuietGate {
  /** @throws the signal's reason when aborted. */
  wait(signal: AbortSignal): Promise<void>;
  /** Measurements so far, and how many of them began on a busy machine. */
  readonly counts: { readonly all: number; readonly busy: number };
}

/** A gate that waits three minutes in all; from then on it only counts. */
export function quietGate(): QuietGate {
  const counts = { all: 0, busy: 0 };
  let patience = PATIENCE_MS;
  return {
    counts,
    async wait(signal) {
      counts.all++;
      const begin = performance.now();
      let quiet = await isQuiet(signal);
      while (!quiet && performance.now() - begin < patience) quiet = await isQuiet(signal);
      if (!quiet) counts.busy++;
      patience -= performance.now() - begin;
    },
  };
}

async function isQuiet(signal: AbortSignal): Promise<boolean> {
  const before = processorTimes();
  await sleep(SAMPLE_MS, signal);
  const after = processorTimes();
  const all = after.all - before.all;
  return all > 0 && 1 - (after.idle - before.idle) / all <= QUIET_SHARE;
}

function processorTimes(): { all: number; idle: number } {
  let all = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return { all, idle };
}
