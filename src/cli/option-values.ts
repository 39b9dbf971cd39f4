import { basename } from "node:path";
import { parseDuration } from "../core/duration.ts";
import { GodwitError } from "../core/error.ts";
import { suggestion } from "./did-you-mean.ts";

/** The error for a command line that cannot be understood; exit status 2. */
export function usageError(message: string, hint?: string): GodwitError {
  return new GodwitError("USAGE", message, hint === undefined ? {} : { hint });
}

/**
 * Makes a reader for a duration (`500ms`, `2s`, `5min`, `1h`) given to a flag.
 * @returns milliseconds. @throws GodwitError USAGE naming the flag.
 */
export function duration(flag: string): (text: string) => number {
  return (text) => {
    try {
      return parseDuration(text, flag);
    } catch (error) {
      if (!(error instanceof GodwitError)) throw error;
      const number = /^\d+(\.\d+)?$/.test(text.trim());
      throw usageError(
        error.message,
        number ? `give the unit: ${flag} ${text.trim()}s, ${text.trim()}min` : error.hint,
      );
    }
  };
}

/** Makes a reader for a whole number of at least `least`. @throws GodwitError USAGE naming the flag. */
export function wholeNumber(flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw usageError(`${flag}: "${text}" is not a whole number of at least ${least}`);
    }
    return value;
  };
}

/** Makes a reader for one of a few words. @throws GodwitError USAGE naming the flag and the words. */
export function oneOf<T extends string>(flag: string, words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const near = suggestion(text, words);
    throw usageError(`${flag}: "${text}" is not one of ${words.join(", ")}`, near);
  };
}

/** Reads a text that must not be empty. @throws GodwitError USAGE naming the flag. */
export function nonEmpty(flag: string): (value: string) => string {
  return (value) => {
    if (value.trim() === "") throw usageError(`${flag}: the value is empty`);
    return value;
  };
}

/** Collects a flag that may be repeated. */
export function collect<T>(read: (value: string) => T): (value: string, before: T[] | undefined) => T[] {
  return (value, before) => [...(before ?? []), read(value)];
}

/**
 * Reads a migration's id. The path of its file is taken as well, since shells complete paths.
 * @throws GodwitError USAGE naming the flag.
 */
export function migrationId(flag: string): (value: string) => string {
  const read = nonEmpty(flag);
  return (value) => {
    const given = read(value).trim();
    return /\.(sql|ts|js|mjs)$/.test(given)
      ? basename(given)
          .replace(/\.(sql|ts|js|mjs)$/, "")
          .replace(/\.repeatable$/, "")
      : given;
  };
}

/** A copy without the keys that have no value, as exact optional properties want it. */
export function withoutUndefined<T extends object>(
  values: T,
): { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> } & {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the mapped type says what the filter does
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof withoutUndefined<T>
  >;
}
