import { statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { GodwitError } from "../core/error.ts";

/** The names a configuration file may have. */
export const CONFIG_FILE_NAMES: readonly string[] = ["ts", "js", "mjs", "json", "yaml", "yml"].map(
  (extension) => `godwit.config.${extension}`,
);

/**
 * Finds the configuration file in `cwd` or the nearest folder above it, up to the root of the file system.
 * @returns its absolute path, or null when there is none.
 * @throws GodwitError CONFIG_INVALID when the nearest folder that has one has two.
 */
export function discoverConfigFile(cwd: string): string | null {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = CONFIG_FILE_NAMES.filter((name) => isFile(join(folder, name)));
    if (found.length > 1) {
      throw new GodwitError("CONFIG_INVALID", `${folder} has two configurations: ${found.join(" and ")}`, {
        hint: `remove one of them, or choose: --config ${found[0]}`,
      });
    }
    if (found[0] !== undefined) return join(folder, found[0]);
    if (folder === dirname(folder)) return null;
  }
}

/**
 * The absolute path of a configuration file that was named.
 * @param file as given to `--config`; relative to `cwd`.
 * @throws GodwitError CONFIG_NOT_FOUND, or CONFIG_INVALID when the name says no known format.
 */
export function namedConfigFile(file: string, cwd: string): string {
  const path = resolve(cwd, file);
  if (!isFile(path)) {
    throw new GodwitError("CONFIG_NOT_FOUND", `there is no configuration file ${path}`, {
      hint: `name an existing file, or leave --config out: ${CONFIG_FILE_NAMES.join(", ")} are found by themselves`,
    });
  }
  if (!/^\.(?:ts|js|mjs|json|yaml|yml)$/.test(extname(path))) {
    throw new GodwitError(
      "CONFIG_INVALID",
      `${basename(path)}: the format of a configuration is told by its name`,
      {
        hint: "end it with .yaml, .yml, .json, .ts, .js or .mjs",
      },
    );
  }
  return path;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    // A folder above may be closed to us: what cannot be seen is not ours.
    return false;
  }
}
