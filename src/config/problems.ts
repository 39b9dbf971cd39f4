import { GodwitError } from "../core/error.ts";
import { closest } from "../core/similar.ts";
import { showPath } from "./source.ts";
import type { ConfigSource, KeyPath } from "./source.ts";

/**
 * Ends with the problems that were found, all in one go.
 * @throws GodwitError the problem itself when there is one; CONFIG_INVALID holding them when there are several.
 */
export function failWith(label: string, problems: readonly GodwitError[]): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first;
  throw new GodwitError("CONFIG_INVALID", `${label} has ${problems.length} problems`, { problems });
}

/** A fault of the configuration at a key: its place in the file, or the file's name where the format has no places. */
export function problemAt(source: ConfigSource, path: KeyPath, what: string, hint?: string): GodwitError {
  const location = source.locate(path);
  const key = path.length === 0 ? "" : `${showPath(path)}: `;
  return new GodwitError("CONFIG_INVALID", `${location === null ? `${source.label}: ` : ""}${key}${what}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(location === null ? {} : { location }),
  });
}

/** An error thrown about a key elsewhere (its message names the key), with the place of that key added. */
export function locateError(source: ConfigSource, path: KeyPath, error: unknown): GodwitError {
  if (!(error instanceof GodwitError)) throw error;
  const location = source.locate(path);
  return new GodwitError(
    error.code,
    location === null ? `${source.label}: ${error.message}` : error.message,
    {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(location === null ? {} : { location }),
      cause: error,
    },
  );
}

/** What to say about a key that does not exist: the nearest one here, or where it belongs. */
export function unknownKeyHint(
  key: string,
  here: readonly string[],
  elsewhere: ReadonlyMap<string, readonly string[]>,
): string {
  const near = closest(key, here);
  if (near !== null) return `did you mean "${near}"?`;
  for (const [place, keys] of elsewhere) {
    const match = closest(key, keys);
    if (match !== null) return `did you mean "${match}", which stands ${place}?`;
  }
  return `known here: ${here.join(", ")}`;
}
