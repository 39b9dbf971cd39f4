import { chmod, readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { DEFERRED, deferred } from "./deferred.ts";
import { lazyModules } from "./lazy-modules.ts";
import { leanBuiltins } from "./lean-builtins.ts";
import { asScripts, runsScripts } from "./scripts.ts";

/** What reads a configuration file brings a YAML parser and a validator, a third of all: apart, since many runs have no file. */
const CONFIG_FILE = ["read-text", "validate"];

/** libpg-query finds its WebAssembly beside itself, nobody needs pg-native, and who keeps locks in Redis installs its client. */
const EXTERNAL = ["libpg-query", "pg-native", "redis"];

/**
 * Bundles the command line into one file with what every start needs and one with the rest, and the library into one
 * file: linking fifty chunks took a quarter of the time to start. Packages are bundled too.
 * The entry of the command line stays a small file of its own, so that the compile cache is on before the rest is read.
 * @returns the paths of all modules that went in, relative to the root.
 */
export async function bundle(root: string, dist: string): Promise<readonly string[]> {
  const rest = await run(root, dist, {
    entryPoints: { "cli/process": "src/cli/process.ts", "cli/deferred": DEFERRED },
    chunkNames: "cli/shared",
    splitting: true,
    plugins: [
      beside(...CONFIG_FILE),
      deferred(join(root, "src"), ["cli/main", "cli/process", "cli/version", ...CONFIG_FILE]),
      leanBuiltins(),
      lazyModules(),
    ],
    minifyWhitespace: true,
  });
  const hashes = await asScripts(join(dist, "cli"));
  const main = await run(root, dist, {
    entryPoints: { "cli/main": "src/cli/main.ts" },
    plugins: [runsScripts(hashes), leanBuiltins(), lazyModules()],
  });
  const configFile = await run(root, dist, {
    entryPoints: CONFIG_FILE.map((name) => ({ in: `src/config/${name}.ts`, out: `cli/${name}` })),
    minifyWhitespace: true,
  });
  const library = await run(root, dist, { entryPoints: { index: "src/index.ts" } });
  await chmod(join(dist, "cli/main.js"), 0o755);
  const inputs = [main, rest, configFile, library].flatMap((metafile) => Object.keys(metafile.inputs));
  return [...new Set(inputs)].filter((path) => !/^(?:(?:lazy-)?builtin|lazy-module):/.test(path));
}

async function run(root: string, dist: string, options: BuildOptions): Promise<Metafile> {
  const result = await build({
    absWorkingDir: root,
    outdir: dist,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22.18",
    external: EXTERNAL,
    // The licences stand in a file of their own.
    legalComments: "none",
    minifySyntax: true,
    metafile: true,
    logLevel: "warning",
    plugins: [leanBuiltins(), lazyModules()],
    ...options,
  });
  const metafile = result.metafile!;
  const missing = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .filter(
      ({ external, path }) =>
        external === true && !EXTERNAL.includes(path) && !path.startsWith("./") && !isBuiltin(path),
    );
  if (missing.length > 0) {
    throw new Error(`the bundle lacks packages: ${[...new Set(missing.map(({ path }) => path))].join(", ")}`);
  }
  if (options.minifyWhitespace === true) {
    await Promise.all(Object.keys(metafile.outputs).map((path) => assertAscii(join(root, path))));
  }
  return metafile;
}

/** One character beyond Latin-1 makes V8 keep the whole file with two bytes a character. */
async function assertAscii(path: string): Promise<void> {
  const text = await readFile(path, "utf8");
  const found = /[^\n]{0,40}[^\0-\x7f][^\n]{0,40}/.exec(text);
  if (found !== null) throw new Error(`${path} is not ASCII: ${found[0]}`);
}

/** Leaves dynamic imports of `./<name>.ts` outside, as bundles that lie beside the one that is made. */
function beside(...names: readonly string[]): Plugin {
  return {
    name: "beside",
    setup: (made) => {
      made.onResolve({ filter: new RegExp(`^\\./(?:${names.join("|")})\\.ts$`) }, ({ path, kind }) =>
        kind === "dynamic-import" ? { path: path.replace(/ts$/, "js"), external: true } : null,
      );
    },
  };
}
