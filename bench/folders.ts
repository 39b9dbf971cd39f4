import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

export const BENCH_FOLDER = import.meta.dirname;
export const REPOSITORY = join(BENCH_FOLDER, "..");
/** Where peers are installed; kept between runs. */
export const PEERS_FOLDER = join(BENCH_FOLDER, ".peers");
/** Generated migrations and output of commands; made anew by each run. */
export const WORK_FOLDER = join(BENCH_FOLDER, ".work");
export const RESULTS_FOLDER = join(BENCH_FOLDER, "results");

/** Makes an empty folder, removing what was there. */
export async function emptyFolder(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}
