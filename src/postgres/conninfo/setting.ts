import { GodwitError } from "../../core/error.ts";

/** Where the value of a connection keyword was found, strongest first. */
export type SettingSource =
  | { readonly kind: "parameters" }
  | { readonly kind: "string" }
  | { readonly kind: "service"; readonly service: string; readonly file: string }
  | { readonly kind: "environment"; readonly variable: string };

export interface Setting {
  readonly value: string;
  readonly source: SettingSource;
}

/** Connection keywords with their values, each with where it came from. */
export type Settings = ReadonlyMap<string, Setting>;

/** Names a setting the way its author wrote it: `PGSSLMODE`, `sslmode in the connection string`. */
export function nameOf(keyword: string, source: SettingSource): string {
  switch (source.kind) {
    case "parameters":
      return `the connection parameter ${keyword}`;
    case "string":
      return `${keyword} in the connection string`;
    case "service":
      return `${keyword} of the service "${source.service}" in ${source.file}`;
    case "environment":
      return `the environment variable ${source.variable}`;
    default:
      throw source satisfies never;
  }
}

/** Names the place a setting came from, without the keyword: `PGPASSWORD`, `the connection string`. */
export function originOf(source: SettingSource): string {
  switch (source.kind) {
    case "parameters":
      return "the connection parameters";
    case "string":
      return "the connection string";
    case "service":
      return `the service "${source.service}" in ${source.file}`;
    case "environment":
      return source.variable;
    default:
      throw source satisfies never;
  }
}

export function invalid(message: string, hint: string): GodwitError {
  return new GodwitError("CONNECTION_STRING_INVALID", message, { hint });
}

export function unsupported(message: string, hint: string): GodwitError {
  return new GodwitError("CONNECTION_OPTION_UNSUPPORTED", message, { hint });
}

/** The value of a keyword, with null for one that is unset or empty: libpq treats both alike in most places. */
export function textOf(settings: Settings, keyword: string): string | null {
  return settings.get(keyword)?.value || null;
}

/**
 * The value of a keyword that knows only some words.
 * @throws GodwitError CONNECTION_STRING_INVALID for another word, the empty one included (as libpq does).
 */
export function choiceOf<Choice extends string>(
  settings: Settings,
  keyword: string,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  const setting = settings.get(keyword);
  if (setting === undefined) return fallback;
  const choice = choices.find((each) => each === setting.value);
  if (choice === undefined) {
    throw invalid(
      `${nameOf(keyword, setting.source)} is ${setting.value === "" ? "empty" : `"${setting.value}"`}`,
      `it is one of ${choices.join(", ")}, or not given at all`,
    );
  }
  return choice;
}

/**
 * The value of a keyword that is a whole number within 32 bits, white space around it allowed.
 * @throws GodwitError CONNECTION_STRING_INVALID for anything else, the empty text included (as libpq does).
 */
export function integerOf(settings: Settings, keyword: string, fallback: number): number {
  const setting = settings.get(keyword);
  if (setting === undefined) return fallback;
  const number = parseInteger(setting.value);
  if (number === null) {
    throw invalid(`${nameOf(keyword, setting.source)} is not a whole number`, `write it as ${keyword}=10`);
  }
  return number;
}

/** Reads what C's strtol and libpq's range check accept; null for anything else. */
export function parseInteger(text: string): number | null {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) return null;
  const number = Number(text);
  return Math.abs(number) <= 0x7fffffff ? number : null;
}
