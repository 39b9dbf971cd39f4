import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What the build needs to know of a package. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Names of the packages that are installed with it. */
  readonly dependencies: readonly string[];
  /** Whether it brings its own types. */
  readonly hasTypes: boolean;
}

/** Reads the package.json of a folder. */
export async function readManifest(folder: string): Promise<Manifest> {
  const read: unknown = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const fields = new Map<string, unknown>(Object.entries(Object(read)));
  const text = (key: string): string => {
    const value: unknown = fields.get(key);
    return typeof value === "string" ? value : "";
  };
  return {
    name: text("name"),
    version: text("version"),
    license: text("license"),
    dependencies: Object.keys(Object(fields.get("dependencies") ?? {})),
    hasTypes: fields.has("types") || fields.has("typings"),
  };
}
