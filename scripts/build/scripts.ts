import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** Hashes of the texts of both files, which the caches of their compiled code are named after. */
export interface Hashes {
  readonly process: string;
  readonly deferred: string;
}

/**
 * Makes scripts of the three modules that esbuild made: a function that is given what the module imported and returns what it
 * exported. The compiled code of a script can be kept when the process ends, that of a module only as it begins
 * (`src/cli/cached-script.ts`).
 *
 * Everything that the process needs is shared with what is deferred, so that esbuild leaves of its entry only a line
 * that passes an export on.
 */
export async function asScripts(folder: string): Promise<Hashes> {
  const [entry, shared, deferred] = ["process.js", "shared.js", "deferred.js"].map((name) =>
    join(folder, name),
  );
  const left = await readFile(entry!, "utf8");
  if (!/^import\{runProcess\}from"\.\/shared\.js";export\{runProcess\};\s*$/.test(left))
    throw new Error(`${entry} is more than an entry: ${left}`);
  await rm(entry!);
  await rename(shared!, entry!);
  return { process: await asScript(entry!), deferred: await asScript(deferred!) };
}

const IMPORTS = /^import\{(?<names>[^}]*)\}from"\.\/shared\.js";/;
const EXPORTS = /export\{(?<names>[^}]*)\};\s*$/;

async function asScript(path: string): Promise<string> {
  const text = await readFile(path, "utf8");
  const imported = IMPORTS.exec(text)?.groups?.["names"] ?? "";
  const exported = EXPORTS.exec(text)?.groups?.["names"];
  if (exported === undefined) throw new Error(`${path} exports nothing`);
  const body = text
    .replace(IMPORTS, "")
    .replace(EXPORTS, "")
    .replaceAll('import("./deferred.js")', "given.deferred()")
    .replaceAll(/(?<![.\w$])import\(/g, "given.load(")
    .replaceAll(/\bimport\.meta\b/g, "meta");
  const stray = /(?:^|[;}])(?:import[{*"]|import [\w{*]|export[{ ])/.exec(body);
  if (stray !== null)
    throw new Error(`${path} imports or exports by ${body.slice(stray.index, stray.index + 80)}`);
  const script =
    `(function(meta,given){"use strict";${declared(imported)}${body}\n` +
    `return{${pairs(exported)
      .map(([inside, outside]) => `${outside}:${inside}`)
      .join(",")}}})`;
  await writeFile(path, script);
  return createHash("sha256").update(script).digest("hex").slice(0, 12);
}

/** `a as b` of an import or export clause. */
function pairs(clause: string): [string, string][] {
  return clause
    .split(",")
    .filter((one) => one.trim() !== "")
    .map((one) => {
      const [from = "", to = from] = one.trim().split(/\s+as\s+/);
      return [from, to];
    });
}

function declared(clause: string): string {
  if (clause === "") return "";
  return `const{${pairs(clause)
    .map(([outside, inside]) => (outside === inside ? inside : `${outside}:${inside}`))
    .join(",")}}=given;`;
}

/** Lets the entry of the command line run both scripts. */
export function runsScripts({ process, deferred }: Hashes): Plugin {
  return {
    name: "runs-scripts",
    setup(build) {
      build.onResolve({ filter: /^\.\/process\.ts$/ }, ({ resolveDir }) => ({
        path: "scripts",
        namespace: "scripts",
        pluginData: resolveDir,
      }));
      build.onLoad({ filter: /.*/, namespace: "scripts" }, ({ pluginData }) => ({
        contents: `
          import { runBundle } from "./cached-bundles.ts";
          // What a script imports itself is experimental, and Node warns of it.
          const load = (specifier) => import(specifier);
          let rest;
          const deferred = async () =>
            (rest ??= runBundle(import.meta.url, "deferred", ${JSON.stringify(deferred)}, { ...shared, load, deferred }));
          const shared = runBundle(import.meta.url, "process", ${JSON.stringify(process)}, { load, deferred });
          export const { runProcess } = shared;
        `,
        resolveDir: String(pluginData),
      }));
    },
  };
}
