import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { appliedDatabase, godwitOf } from "../applied-database.ts";
import { BenchError } from "../bench-error.ts";
import { bundleBaseline } from "../baseline/bundle.ts";
import { type Command, run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { freshDatabase } from "../database.ts";
import { BENCH_FOLDER, WORK_FOLDER } from "../folders.ts";
import type { Measurement } from "../results.ts";
import { summarise } from "../statistics.ts";
import { SCRIPT } from "./noop.ts";

const RUNS = 5;
const COUNT = 10_000;

/** The name of the measurement that the claim is about. */
export const MEMORY_NAME = `godwit up, ${COUNT} applied`;

/**
 * The most resident memory of `godwit up` with 10 000 applied files, and of the script that only connects.
 * @returns megabytes (10^6 bytes).
 */
export async function measureMemory(context: BenchContext): Promise<Measurement[]> {
  const script = await bundleBaseline();
  const scriptUrl = await freshDatabase(context.server, "bench_script");
  const commands: (readonly [name: string, command: Command])[] = [[SCRIPT, script(scriptUrl)]];
  const noop = godwitOf(context)?.noop(await appliedDatabase(context, COUNT)) ?? null;
  if (noop !== null) commands.push([MEMORY_NAME, noop]);
  const measurements: Measurement[] = [];
  for (const [name, command] of commands) {
    const samples: number[] = [];
    const repetitions = context.options.runs ?? RUNS;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      samples.push(await peakMemory(command, context.signal));
    }
    measurements.push({ name, unit: "MB", summary: summarise(samples) });
    context.progress(`${name}: memory measured`);
  }
  return measurements;
}

/** Runs a Node program and returns its peak of resident memory in megabytes. */
async function peakMemory(command: Command, signal: AbortSignal): Promise<number> {
  const resultFile = join(WORK_FOLDER, "peak-memory.txt");
  await rm(resultFile, { force: true });
  const args = ["--require", join(BENCH_FOLDER, "baseline", "peak-memory.cjs"), ...command.args];
  const env = { ...command.env, PEAK_MEMORY_FILE: resultFile };
  await run({ ...command, args, env }, { signal, logFile: join(WORK_FOLDER, "memory.log") });
  const kilobytes = Number(await readFile(resultFile, "utf8").catch(() => ""));
  if (!(kilobytes > 0)) throw new BenchError("the measured program did not leave its peak of memory");
  return (kilobytes * 1024) / 1e6;
}
