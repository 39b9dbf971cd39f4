import { chmod } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const EXTERNAL = ["libpg-query", "pg-native"];

/**
 * Bundles the command line and the library into modules that share their chunks: whatever is imported dynamically
 * stays a chunk that is loaded when needed, and a configuration or migration that imports the library while the
 * command line runs gets the very classes the command line uses.
 * Packages are bundled too, which halves the time to start; libpg-query stays outside because it finds its
 * WebAssembly beside itself, pg-native because nobody needs it.
 * @returns the paths of all modules that went in, relative to the root.
 */
export async function bundle(root: string, dist: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { index: "src/index.ts", "cli/main": "src/cli/main.ts" },
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22.18",
    chunkNames: "chunks/[name]-[hash]",
    external: EXTERNAL,
    // What is CommonJS inside (pg) asks Node's own modules through require.
    banner: {
      js: 'import { createRequire as godwitCreateRequire } from "node:module";\nconst require = godwitCreateRequire(import.meta.url);',
    },
    legalComments: "none",
    minifySyntax: true,
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
  });
  await chmod(join(dist, "cli/main.js"), 0o755);
  const missing = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .filter(({ external, path }) => external === true && !EXTERNAL.includes(path) && !isBuiltin(path));
  if (missing.length > 0) {
    throw new Error(`the bundle lacks packages: ${[...new Set(missing.map(({ path }) => path))].join(", ")}`);
  }
  return Object.keys(metafile.inputs);
}
