import { isAbsolute, relative } from "node:path";
import type { Location } from "../core/error.ts";

/** The keys that lead to a value: `["streams", "shop", "database"]`. */
export type KeyPath = readonly (string | number)[];

/** The raw content of a configuration file, and where in it each key stands. */
export interface ConfigSource {
  /** As people are shown it: relative to the working folder when it is inside. */
  readonly label: string;
  readonly data: unknown;
  /** The place of a key, or of the nearest key above it; null where the format has no places. */
  readonly locate: (path: KeyPath) => Location | null;
}

/** `streams.shop.after[0]`. */
export function showPath(path: KeyPath): string {
  let shown = "";
  for (const part of path) {
    if (typeof part === "number") shown += `[${part}]`;
    else shown += shown === "" ? part : `.${part}`;
  }
  return shown;
}

/** A path as a person in `cwd` would type it. */
export function displayPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}
