import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCachedScript, type CachedScript } from "./cached-script.ts";

/** The values of a bundle by the names they are exported under. */
export type Exports = Readonly<Record<string, unknown>>;

/** What a bundle is to be called with, since a script has neither `import.meta` nor imports. */
type Bundle = (meta: object, given: object) => Exports;

/**
 * A process that is older than this has dropped part of what it compiled, or compiled it better than a short one needs it.
 * In seconds.
 */
const YOUNG_S = 60;

const loaded: CachedScript[] = [];

/**
 * Runs a bundle of the command line beside this one.
 * @param at `import.meta.url` of the module that asks.
 * @param name of the file without its ending.
 * @param hash of its text.
 * @param given what its text refers to.
 */
export function runBundle(at: string, name: string, hash: string, given: object): Exports {
  const url = new URL(`${name}.js`, at);
  const path = fileURLToPath(url);
  const caches = module.getCompileCacheDir();
  // Each verb uses a part of its own; a larger one takes longer to read.
  const verb = /^[a-z][a-z-]{0,15}$/.exec(process.argv[2] ?? "")?.[0] ?? "none";
  const script = runCachedScript(
    path,
    caches === undefined ? null : join(caches, `godwit-${name}-${hash}-${verb}`),
  );
  loaded.push(script);
  return (script.value as Bundle)({ url: url.href, dirname: dirname(path) }, given);
}

/** Keeps what was compiled for the next process, where nothing was kept yet. To be called when all is done. */
export function saveCompiled(): void {
  if (process.uptime() > YOUNG_S) return;
  for (const script of loaded) script.save();
}
