import { createRequire } from "node:module";
import type { Plugin } from "esbuild";
import { lazyExports } from "./lazy-exports.ts";

/** CommonJS modules that are needed in some runs only, and by whom they are required: its whole top level runs with them. */
const LAZY: readonly { readonly required: RegExp; readonly by: RegExp }[] = [
  // Asks node:crypto for the Web Crypto API as soon as it is loaded; only passwords need it.
  { required: /^\.\/crypto\/utils$/, by: /[\\/]pg[\\/]lib[\\/]client\.js$/ },
  { required: /^\.\/utils$/, by: /[\\/]pg[\\/]lib[\\/]crypto[\\/]sasl\.js$/ },
];

const require = createRequire(import.meta.url);

/** Evaluates modules at the first use of one of their exports, instead of with those that require them. */
export function lazyModules(): Plugin {
  return {
    name: "lazy-modules",
    setup(build) {
      build.onResolve({ filter: /^\./ }, async ({ path, kind, importer, resolveDir }) => {
        if (kind !== "require-call") return null;
        if (!LAZY.some(({ required, by }) => required.test(path) && by.test(importer))) return null;
        const resolved = await build.resolve(path, { kind: "require-resolve", importer, resolveDir });
        return { path: resolved.path, namespace: "lazy-module", pluginData: resolveDir };
      });
      build.onLoad({ filter: /.*/, namespace: "lazy-module" }, ({ path, pluginData }) => {
        const names = Object.keys(require(path) as object);
        return {
          contents: lazyExports(names, `require(${JSON.stringify(path)})`),
          resolveDir: String(pluginData),
        };
      });
    },
  };
}
