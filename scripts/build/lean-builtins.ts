import { createRequire } from "node:module";
import type { Plugin } from "esbuild";
import { lazyExports } from "./lazy-exports.ts";

/** Their default export is called, constructed or relies on `this`, so it must be the module itself. */
const TAKEN_AS_THEY_ARE: ReadonlySet<string> = new Set(["assert", "events", "module", "process", "stream"]);

const require = createRequire(import.meta.url);

/**
 * Takes Node's own modules at the first use of an export instead of through `import`: the loader's facade reads every
 * property of a module at once, and reading `fs.promises`, `util.diff` or `crypto.webcrypto` loads what stands behind it,
 * just as `child_process` loads much that most runs never need.
 */
export function leanBuiltins(): Plugin {
  return {
    name: "lean-builtins",
    setup(build) {
      build.onResolve({ filter: /^(?:node:)?[a-z_/0-9]+$/ }, ({ path, kind }) => {
        const name = path.replace(/^node:/, "");
        if (kind === "dynamic-import" || process.getBuiltinModule(name) === undefined) return null;
        const lazy = !TAKEN_AS_THEY_ARE.has(name);
        return { path: name, namespace: lazy ? "lazy-builtin" : "builtin" };
      });
      build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      }));
      build.onLoad({ filter: /.*/, namespace: "lazy-builtin" }, ({ path }) => {
        const names = Object.keys(require(`node:${path}`) as object);
        return { contents: lazyExports(names, `process.getBuiltinModule(${JSON.stringify(path)})`) };
      });
    },
  };
}
