import { execFile } from "node:child_process";
import { readFile, readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { readManifest } from "./manifest.ts";

const SPECIFIER = /(?<=\bfrom\s*"|\bimport\(\s*"|^import\s*")(?<specifier>[^"]+)(?=")/gm;

/**
 * Emits the declarations that a user of the library can see: those that lead from `index.d.ts`, and no others.
 * @returns how many they are.
 * @throws Error when they need a package that is not installed with ours, or the sources do not compile.
 */
export async function emitDeclarations(root: string, dist: string): Promise<number> {
  await runCompiler(root);
  const kept = new Set<string>();
  const packages = new Set<string>();
  await collect(join(dist, "index.d.ts"), kept, packages);
  await refuseForeignPackages(root, packages);
  await removeOthers(dist, kept);
  return kept.size;
}

async function runCompiler(root: string): Promise<void> {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  try {
    await promisify(execFile)(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: root });
  } catch (error) {
    const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`the declarations could not be emitted:\n${output}`, { cause: error });
  }
}

/** Follows the relative imports of a declaration, and makes them name the emitted module. */
async function collect(file: string, kept: Set<string>, packages: Set<string>): Promise<void> {
  if (kept.has(file)) return;
  kept.add(file);
  const text = await readFile(file, "utf8");
  const rewritten = text.replaceAll(SPECIFIER, (specifier) =>
    specifier.startsWith(".") ? specifier.replace(/\.ts$/, ".js") : specifier,
  );
  if (rewritten !== text) await writeFile(file, rewritten);
  for (const [specifier] of rewritten.matchAll(SPECIFIER)) {
    if (specifier.startsWith(".")) {
      await collect(join(dirname(file), specifier.replace(/\.js$/, ".d.ts")), kept, packages);
    } else {
      packages.add(specifier);
    }
  }
}

async function refuseForeignPackages(root: string, packages: ReadonlySet<string>): Promise<void> {
  const { name, dependencies } = await readManifest(root);
  const foreign: string[] = [];
  for (const specifier of packages) {
    // The package may name itself, as examples in comments do.
    if (isBuiltin(specifier) || specifier === name) continue;
    // A package whose types come from @types is there at run time, but its types are not.
    const typed = (await readManifest(join(root, "node_modules", specifier))).hasTypes;
    if (!dependencies.includes(specifier) || !typed) foreign.push(specifier);
  }
  if (foreign.length > 0) {
    throw new Error(`the public types need packages that users do not have: ${foreign.join(", ")}`);
  }
}

async function removeOthers(dist: string, kept: ReadonlySet<string>): Promise<void> {
  const entries = await readdir(dist, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && path.endsWith(".d.ts") && !kept.has(path)) await rm(path);
  }
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const folder of folders.toSorted((a, b) => relative(dist, b).length - relative(dist, a).length)) {
    if ((await readdir(folder)).length === 0) await rmdir(folder);
  }
}
