import { join } from "node:path";
import { appliedDatabase, godwitOf } from "../applied-database.ts";
import { bundleBaseline } from "../baseline/bundle.ts";
import { type Command, run } from "../command.ts";
import type { BenchContext } from "../context.ts";
import { freshDatabase } from "../database.ts";
import { WORK_FOLDER } from "../folders.ts";
import type { Measurement } from "../results.ts";
import { summarise } from "../statistics.ts";

const RUNS = 25;

/** How many migrations are applied when nothing is pending; the claims are about the second and the last. */
export const APPLIED_COUNTS = [1, 100, 1000, 10_000] as const;

/** The name of the script's measurement. */
export const SCRIPT = "connect and select";

/** The name of the measurement of `up` with nothing pending of `count`. */
export function noopName(count: (typeof APPLIED_COUNTS)[number]): string {
  return `godwit up, ${count} applied`;
}

/**
 * Time of `godwit up` with nothing pending beside a bundled script that connects and selects once, taking turns.
 * @returns `SCRIPT` and `noopName(count)` for each count; milliseconds.
 */
export async function measureNoop(context: BenchContext): Promise<Measurement[]> {
  const { server, signal } = context;
  const script = await bundleBaseline();
  const scriptUrl = await freshDatabase(server, "bench_script");
  const commands: (readonly [name: string, command: Command])[] = [[SCRIPT, script(scriptUrl)]];
  const godwit = godwitOf(context);
  if (godwit !== null) {
    for (const count of APPLIED_COUNTS) {
      const command = godwit.noop(await appliedDatabase(context, count));
      if (command !== null) commands.push([noopName(count), command]);
    }
  }
  const samples = new Map<string, number[]>(commands.map(([name]) => [name, []]));
  const repetitions = context.options.runs ?? RUNS;
  const logFile = join(WORK_FOLDER, "noop.log");
  // The first round fills the caches of files and of the server; it does not count.
  for (let repetition = -1; repetition < repetitions; repetition++) {
    await context.quiet.wait(signal);
    for (const [name, command] of commands) {
      const elapsed = await run(command, { signal, logFile });
      if (repetition >= 0) samples.get(name)?.push(elapsed);
    }
  }
  context.progress(`nothing pending: ${repetitions} rounds`);
  return [...samples].map(([name, values]) => ({ name, unit: "ms", summary: summarise(values) }));
}
