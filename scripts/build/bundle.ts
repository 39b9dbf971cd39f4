import { chmod } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { leanBuiltins } from "./lean-builtins.ts";

/** What reads a configuration file brings a YAML parser and a validator, a third of all: apart, since many runs have no file. */
const CONFIG_FILE = ["read-text", "validate"];

/** libpg-query finds its WebAssembly beside itself, and nobody needs pg-native. */
const EXTERNAL = ["libpg-query", "pg-native"];

/**
 * Bundles the command line and the library, each into one file: linking fifty chunks took a quarter of the time to
 * start. What is imported dynamically is in the file but evaluated only when it is needed. Packages are bundled too.
 * The entry of the command line stays a small file of its own, so that the compile cache is on before the rest is read.
 * @returns the paths of all modules that went in, relative to the root.
 */
export async function bundle(root: string, dist: string): Promise<readonly string[]> {
  const main = await run(root, dist, {
    entryPoints: { "cli/main": "src/cli/main.ts" },
    plugins: [beside("process"), leanBuiltins()],
  });
  const rest = await run(root, dist, {
    entryPoints: { "cli/process": "src/cli/process.ts" },
    plugins: [beside(...CONFIG_FILE), leanBuiltins()],
    minifyWhitespace: true,
  });
  const configFile = await run(root, dist, {
    entryPoints: CONFIG_FILE.map((name) => ({ in: `src/config/${name}.ts`, out: `cli/${name}` })),
    minifyWhitespace: true,
  });
  const library = await run(root, dist, { entryPoints: { index: "src/index.ts" } });
  await chmod(join(dist, "cli/main.js"), 0o755);
  const inputs = [main, rest, configFile, library].flatMap((metafile) => Object.keys(metafile.inputs));
  return [...new Set(inputs)].filter((path) => !/^(?:lazy-)?builtin:/.test(path));
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
    plugins: [leanBuiltins()],
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
  return metafile;
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
