import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BinaryPackage } from "./packages.ts";

/** A package with binaries as npm unpacked it: library links may be missing, nothing in it is ever run. */
export interface InstalledPackage {
  readonly directory: string;
  readonly version: string;
}

/**
 * Finds a package of the wanted major that is installed already, first from the project, then from Godwit's
 * own place. Any version of the major will do: the project may pin one.
 */
export async function findInstalledPackage(
  wanted: BinaryPackage,
  project: string | null,
): Promise<InstalledPackage | null> {
  const places = [...(project === null ? [] : [project]), dirname(fileURLToPath(import.meta.url))];
  for (const place of places) {
    const found = await packageFrom(place, wanted);
    if (found !== null) return found;
  }
  return null;
}

async function packageFrom(place: string, wanted: BinaryPackage): Promise<InstalledPackage | null> {
  let entry: string;
  try {
    entry = createRequire(join(place, "package.json")).resolve(wanted.name);
  } catch {
    return null;
  }
  // The package exports its entry point alone, dist/index.js.
  const installed = await readPackage(dirname(dirname(entry)), wanted.name);
  return installed !== null && majorOf(installed.version) === wanted.major ? installed : null;
}

/** Reads a package's folder; null when it is not that package. */
export async function readPackage(directory: string, name: string): Promise<InstalledPackage | null> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
    if (typeof manifest !== "object" || manifest === null) return null;
    if (!("name" in manifest) || manifest.name !== name) return null;
    if (!("version" in manifest) || typeof manifest.version !== "string") return null;
    return { directory, version: manifest.version };
  } catch {
    return null;
  }
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
