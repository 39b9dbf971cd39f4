import { join } from "node:path";
import { godwitOf } from "../applied-database.ts";
import { bundleBaseline } from "../baseline/bundle.ts";
import { type Command, run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { assertApplied, freshDatabase } from "../database.ts";
import { emptyFolder, WORK_FOLDER } from "../folders.ts";
import type { Measurement } from "../results.ts";
import { summarise } from "../statistics.ts";

const RUNS = 5;
/** Processes that start at once, as the replicas of a service do. */
const PROCESSES = 50;
/** Migrations that are pending for them. */
const PENDING = 100;

/** The names of the measurements that the claim compares. */
export const CROWD = {
  alone: `godwit up, one alone, ${PENDING} pending`,
  connecting: `connect and select, the last of ${PROCESSES} at once`,
  together: `godwit up, the last of ${PROCESSES} at once, ${PENDING} pending`,
} as const;

/**
 * Time until the last of many `godwit up` started at once is done, beside one alone, and beside as many bundled scripts
 * that connect and select once: that is what starting so many processes costs on this machine, whatever they do.
 * @returns the three of `CROWD`; milliseconds.
 */
export async function measureCrowd(context: BenchContext): Promise<Measurement[]> {
  const godwit = godwitOf(context);
  if (godwit === null) return [];
  const { server, signal } = context;
  const script = await bundleBaseline();
  const folder = await emptyFolder(join(WORK_FOLDER, "crowd"));
  await godwit.generate(folder, PENDING);
  const samples: Record<keyof typeof CROWD, number[]> = { alone: [], connecting: [], together: [] };
  const up = async (processes: number): Promise<number> => {
    const databaseUrl = await freshDatabase(server, "bench_crowd");
    const elapsed = await lastOf(godwit.apply({ databaseUrl, folder }), processes, signal);
    await assertApplied(databaseUrl, godwit, PENDING);
    return elapsed;
  };
  const repetitions = context.options.runs ?? RUNS;
  // The first round fills the caches of files and of the server; it does not count.
  for (let repetition = -1; repetition < repetitions; repetition++) {
    await context.quiet.wait(signal);
    const alone = await up(1);
    const select = script(await freshDatabase(server, "bench_script"));
    const connecting = await lastOf(select, PROCESSES, signal);
    const together = await up(PROCESSES);
    if (repetition < 0) continue;
    samples.alone.push(alone);
    samples.connecting.push(connecting);
    samples.together.push(together);
    context.progress(`${PROCESSES} at once ${together.toFixed(0)} ms (${repetition + 1}/${repetitions})`);
  }
  return (["alone", "connecting", "together"] as const).map((key) => ({
    name: CROWD[key],
    unit: "ms",
    summary: summarise(samples[key]),
  }));
}

/** @returns milliseconds from before the first of them is started until the last has ended. */
async function lastOf(command: Command, processes: number, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      run(command, { signal, logFile: join(WORK_FOLDER, "crowd-logs", `${index}.log`) }),
    ),
  );
  return performance.now() - began;
}
