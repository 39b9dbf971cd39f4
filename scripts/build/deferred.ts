import { readFile, readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Plugin } from "esbuild";

/**
 * What nearly every start of the command line needs, though the sources import it dynamically for the sake of the
 * others: these lie in the file of the process, ready.
 */
const AT_ONCE = ["api/create-godwit", "cli/commands/up"];

const IMPORT = /(?<![.\w])import\("(?<specifier>\.{1,2}\/[^"]+\.ts)"\)/g;

/** Entry point that holds every module of the sources that is imported dynamically. */
export const DEFERRED = "deferred:all";

/**
 * Makes one file of all modules that are imported dynamically, instead of one for each: with two entry points esbuild
 * makes three files, and each is plain code. Otherwise it either makes dozens of files, or one in which every module is
 * a function that must be called; measured, that is a tenth of the time to start.
 * @param beside names of modules that have a bundle of their own.
 */
export function deferred(sources: string, beside: readonly string[]): Plugin {
  const isBeside = (specifier: string): boolean => beside.some((name) => specifier.endsWith(`/${name}.ts`));
  const isAtOnce = (specifier: string): boolean =>
    AT_ONCE.some((name) => `/${name}.ts`.endsWith(specifier.replace(/^\.+/, "")));
  const nameOf = (file: string, specifier: string): string =>
    relative(sources, join(dirname(file), specifier)).replaceAll(/[^a-zA-Z0-9]+/g, "_");
  return {
    name: "deferred",
    setup(build) {
      build.onResolve({ filter: /^deferred:/ }, ({ path }) => ({ path, namespace: "deferred" }));
      build.onLoad({ filter: /.*/, namespace: "deferred" }, async () => {
        const targets = new Map<string, string>();
        for (const file of await sourceFiles(sources)) {
          for (const { groups } of (await readFile(file, "utf8")).matchAll(IMPORT)) {
            const { specifier = "" } = groups ?? {};
            if (!isBeside(specifier) && !isAtOnce(specifier))
              targets.set(nameOf(file, specifier), join(dirname(file), specifier));
          }
        }
        const exports = [...targets].map(
          ([name, path]) => `export * as ${name} from ${JSON.stringify(path)};`,
        );
        return { contents: exports.join("\n"), resolveDir: sources };
      });
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(sources + sep)) return null;
        const text = await readFile(path, "utf8");
        const imports: string[] = [];
        const contents = text.replaceAll(IMPORT, (whole, specifier: string) => {
          if (isBeside(specifier)) return whole;
          const name = nameOf(path, specifier);
          if (!isAtOnce(specifier)) return `import("${DEFERRED}").then((all) => all.${name})`;
          imports.push(`import * as ${name} from ${JSON.stringify(specifier)};`);
          return `Promise.resolve(${name})`;
        });
        return { contents: [...imports, contents].join("\n"), loader: "ts" };
      });
    },
  };
}

async function sourceFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /(?<!\.test)\.ts$/.test(name)).map((name) => join(folder, name));
}
