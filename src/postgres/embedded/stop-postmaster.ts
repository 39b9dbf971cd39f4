import { monotonicMs } from "../../core/clock.ts";
import { sleep } from "../../core/interrupt.ts";
import { processRuns } from "./postmaster-file.ts";

/** How long each way of asking may take (manual 18.5: fast shutdown, immediate shutdown, the last resort). */
const STEPS = [
  { signal: "SIGINT", limitMs: 30_000 },
  { signal: "SIGQUIT", limitMs: 10_000 },
  { signal: "SIGKILL", limitMs: 5000 },
] as const;

/**
 * Stops a server and waits until its process is gone: a fast shutdown, then an immediate one, then by force.
 * The caller has made sure that the id is the server's. An aborted signal cuts the first wait short: the
 * server is then stopped at once, which its next start recovers from; so it always is on Windows, where a
 * process cannot be asked.
 * @returns whether the process is gone.
 */
export async function stopPostmaster(pid: number, signal?: AbortSignal): Promise<boolean> {
  for (const step of STEPS) {
    try {
      process.kill(pid, step.signal);
    } catch {
      return !processRuns(pid);
    }
    const until = monotonicMs() + step.limitMs;
    while (processRuns(pid) && monotonicMs() < until) {
      if (step.signal === "SIGINT" && signal?.aborted === true) break;
      await sleep(5);
    }
    if (!processRuns(pid)) return true;
  }
  return false;
}
