import { join } from "node:path";
import { run } from "../command.ts";
import type { BenchContext, InstalledPeer } from "../context.ts";
import { assertApplied, freshDatabase } from "../database.ts";
import { emptyFolder, WORK_FOLDER } from "../folders.ts";
import type { Measurement } from "../results.ts";
import { summarise } from "../statistics.ts";

const RUNS = 5;

/**
 * Time from nothing to `--migrations` applied, and of the same command again with nothing pending; each run in a
 * database of its own. The peers take turns within a repetition, and each repetition begins with another one, so
 * that what disturbs the machine for a while disturbs all.
 * @returns for each peer `<name>` and, unless it is no migration tool, `<name> again`; milliseconds.
 */
export async function measureApply(context: BenchContext): Promise<Measurement[]> {
  const { options, peers, server, signal } = context;
  const count = options.migrations;
  const folders = new Map<string, string>();
  for (const { peer } of peers) {
    const folder = await emptyFolder(join(WORK_FOLDER, `apply-${peer.name}`));
    await peer.generate(folder, count);
    folders.set(peer.name, folder);
  }
  const samples = new Map<string, number[]>();
  const repetitions = options.runs ?? RUNS;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const { peer } of startingAt(peers, repetition)) {
      const folder = folders.get(peer.name) ?? "";
      const target = { databaseUrl: await freshDatabase(server, "bench_apply"), folder };
      const logFile = join(WORK_FOLDER, `${peer.name}.log`);
      await context.quiet.wait(signal);
      const elapsed = await run(peer.apply(target), { signal, logFile });
      await assertApplied(target.databaseUrl, peer, count);
      push(samples, peer.name, elapsed);
      const noop = peer.noop(target);
      if (noop !== null) push(samples, `${peer.name} again`, await run(noop, { signal, logFile }));
      context.progress(`${peer.name} ${elapsed.toFixed(0)} ms (${repetition + 1}/${repetitions})`);
    }
  }
  return [...samples].map(([name, values]) => ({ name, unit: "ms", summary: summarise(values) }));
}

function startingAt(peers: readonly InstalledPeer[], index: number): readonly InstalledPeer[] {
  const first = index % Math.max(1, peers.length);
  return [...peers.slice(first), ...peers.slice(0, first)];
}

function push(samples: Map<string, number[]>, name: string, value: number): void {
  const list = samples.get(name);
  if (list === undefined) samples.set(name, [value]);
  else list.push(value);
}
