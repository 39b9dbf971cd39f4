import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { VERSION } from "../src/core/version.ts";

/**
 * Installs the package as a user gets it, into an empty project, and uses it there: the command, the library, its types.
 * Needs `npm run build` first. Ends with status 1 and what went wrong.
 */
const root = join(import.meta.dirname, "..");
const LIMIT_MS = 180_000;
const run = promisify(execFile);

/** @param temporary folder for temporary files; left out: the system's. */
async function output(
  command: string,
  args: readonly string[],
  cwd: string,
  temporary: string = tmpdir(),
): Promise<string> {
  const env = { ...process.env, TMPDIR: temporary };
  const { stdout } = await run(command, args, { cwd, env, timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024 });
  return stdout.trim();
}

function expectEqual(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
  process.stdout.write(`${what}: ${actual}\n`);
}

const USE_LIBRARY = `
import { GodwitError, createGodwit, defineConfig } from "godwit";
defineConfig({ database: "\${DATABASE_URL}" });
const godwit = await createGodwit({ env: {} });
const error = await godwit.status().result.then(() => null, (thrown) => thrown);
console.log(error instanceof GodwitError, error?.code);
`;

const USE_TYPES = `
import { GodwitError, createGodwit, defineConfig } from "godwit";
import type { GodwitConfig, GodwitEvent } from "godwit";
export const config: GodwitConfig = defineConfig({ streams: { shop: { migrations: "m" } } });
export async function migrate(): Promise<number> {
  const run = (await createGodwit({ database: "host=h" })).up();
  for await (const event of run) show(event);
  return (await run.result).total;
}
function show(event: GodwitEvent): string {
  return event.type === "migration.failed" ? event.error.code : event.type;
}
export const isOurs = (value: unknown): boolean => value instanceof GodwitError;
`;

const COMPILER_OPTIONS = {
  target: "es2024",
  lib: ["es2024", "dom"],
  module: "nodenext",
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  types: [],
};

async function check(folder: string): Promise<void> {
  const project = join(folder, "project");
  await mkdir(join(project, "migrations"), { recursive: true });
  await output("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], root);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no package");

  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await output(
    "npm",
    ["install", "--no-audit", "--no-fund", "--omit=optional", join("..", tarball)],
    project,
  );
  const installed = await readdir(join(project, "node_modules"), { recursive: true });
  process.stdout.write(`installed: ${installed.length} files and folders\n`);

  expectEqual(
    "npx godwit --version",
    await output("npx", ["--no-install", "godwit", "--version"], project),
    VERSION,
  );
  await writeFile(join(project, "use.js"), USE_LIBRARY);
  await writeFile(join(project, "migrations/1_a.sql"), "SELECT 1;\n");
  expectEqual(
    'import "godwit"',
    await output(process.execPath, ["use.js"], project),
    "true DATABASE_NOT_CONFIGURED",
  );

  // The second run uses the compiled code that the first one kept.
  await writeFile(join(project, "godwit.config.yaml"), "migrations: migrations\n");
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  const graph = (): Promise<string> =>
    output("npx", ["--no-install", "godwit", "graph", "--offline"], project, temporary);
  const first = await graph();
  expectEqual("godwit graph, again", await graph(), first);
  const kept = (await readdir(temporary, { recursive: true })).filter((name) =>
    name.includes("godwit-process-"),
  );
  expectEqual("files of compiled code", String(kept.length), "1");

  await writeFile(join(project, "use.ts"), USE_TYPES);
  await writeFile(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ["use.ts"] }),
  );
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  expectEqual("types", (await output(process.execPath, [compiler, "-p", "."], project)) || "fine", "fine");
}

/** The message of an error, with what the command that failed had printed. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const printed = ["stdout", "stderr"].map(
    (name) => Object.entries(error).find(([key]) => key === name)?.[1],
  );
  return [error.message, ...printed].filter((text) => typeof text === "string" && text !== "").join("\n");
}

const folder = await mkdtemp(join(tmpdir(), "godwit-pack-"));
try {
  await check(folder);
} catch (error) {
  process.stderr.write(`pack check: ${explain(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
