import { join } from "node:path";
import { BenchError } from "./bench-error.ts";
import { run } from "./command.ts";
import type { BenchContext } from "./context.ts";
import { assertApplied, freshDatabase } from "./database.ts";
import { emptyFolder, WORK_FOLDER } from "./folders.ts";
import type { Peer, PeerTarget } from "./peer.ts";

const made = new Map<number, PeerTarget>();

/** Godwit, if it could be built. */
export function godwitOf({ peers }: BenchContext): Peer | null {
  return peers.find(({ peer }) => peer.name === "godwit")?.peer ?? null;
}

/** A database with `count` migrations that Godwit itself applied, and their folder; made once and kept. */
export async function appliedDatabase(context: BenchContext, count: number): Promise<PeerTarget> {
  const earlier = made.get(count);
  if (earlier !== undefined) return earlier;
  const godwit = godwitOf(context);
  if (godwit === null) throw new BenchError("Godwit is not among the peers");
  const folder = await emptyFolder(join(WORK_FOLDER, `applied-${count}`));
  await godwit.generate(folder, count);
  const target = { folder, databaseUrl: await freshDatabase(context.server, `bench_applied_${count}`) };
  const logFile = join(WORK_FOLDER, "godwit.log");
  const elapsed = await run(godwit.apply(target), { signal: context.signal, logFile });
  await assertApplied(target.databaseUrl, godwit, count);
  context.progress(`prepared ${count} applied migrations in ${elapsed.toFixed(0)} ms`);
  made.set(count, target);
  return target;
}
