import type * as z from "zod";
import type { GodwitError } from "../core/error.ts";
import { STREAM_NAME_RULE } from "./defaults.ts";
import { problemAt, unknownKeyHint } from "./problems.ts";
import { KEYS_OF, configSchema, keysAt } from "./schema.ts";
import type { ConfigFile } from "./schema.ts";
import type { ConfigSource, KeyPath } from "./source.ts";
import { findUnsupported, without } from "./unsupported.ts";

type Issue = z.core.$ZodIssue;

/**
 * Checks the shape of a configuration. Loaded only when there is a file.
 * @returns the file as data, or every problem of it, in the order of the file where it has places.
 */
export function validate(source: ConfigSource): {
  readonly file: ConfigFile | null;
  readonly problems: readonly GodwitError[];
} {
  const data = source.data ?? {};
  const unsupported = findUnsupported(data);
  const result = configSchema.safeParse(without(data, unsupported));
  const problems = [
    ...unsupported.map((path) => problemAt(source, path, "is not supported by this version", "remove it")),
    ...(result.error?.issues ?? []).flatMap((issue) => toProblems(source, issue, [])),
  ].toSorted(
    (a, b) =>
      (a.location?.line ?? 0) - (b.location?.line ?? 0) ||
      (a.location?.column ?? 0) - (b.location?.column ?? 0),
  );
  return { file: result.success && problems.length === 0 ? result.data : null, problems };
}

function toProblems(source: ConfigSource, issue: Issue, before: KeyPath): readonly GodwitError[] {
  const path = [...before, ...issue.path.map((key) => (typeof key === "number" ? key : String(key)))];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) =>
      problemAt(source, [...path, key], "unknown key", unknownKeyHint(key, keysAt(path), KEYS_OF)),
    );
  }
  if (issue.code === "invalid_key") {
    return [problemAt(source, path, "is not a name for a stream", STREAM_NAME_RULE)];
  }
  if (issue.code === "invalid_union") {
    // The branch that the author meant is the one whose outermost type is right.
    const meant = issue.errors.find((branch) => branch.some((inner) => !isWrongType(inner)));
    if (meant !== undefined) return meant.flatMap((inner) => toProblems(source, inner, path));
  }
  const { what, hint } = describe(issue, path, valueAt(source.data, path));
  return [problemAt(source, path, what, hint)];
}

function isWrongType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");
}

/** The fault in words. Values are never shown: a password may stand at any key. */
function describe(issue: Issue, path: KeyPath, value: unknown): { what: string; hint?: string } {
  const key = String(path.at(-1) ?? "");
  if (value === undefined && path.length > 0) return { what: "is missing", ...missingHint(key) };
  if (value === null) return { what: "has no value", hint: "give it one, or remove the key" };
  if (issue.code === "too_small" && value === "")
    return { what: "is empty", hint: "give it a value, or remove the key" };
  if (issue.code === "invalid_value") {
    return { what: `must be ${issue.values.map((one) => JSON.stringify(one)).join(" or ")}` };
  }
  if (key === "port") return { what: "must be a port: 1 to 65535" };
  if (typeof value === "number" && (path[0] === "safety" || key === "lease")) {
    return { what: "is a number without a unit", hint: "write a duration: 500ms, 2s, 5min, 1h" };
  }
  if (typeof value === "number" || typeof value === "boolean" || value instanceof Date) {
    return { what: `must be a text, not a ${kindOf(value)}`, hint: 'put it in quotes: "…"' };
  }
  return { what: `must be ${expected(issue, path)}, not ${kindOf(value)}` };
}

function missingHint(key: string): { hint?: string } {
  if (key === "migrations")
    return { hint: "name the folder of the stream's migrations: migrations: migrations/shop" };
  return {};
}

function expected(issue: Issue, path: KeyPath): string {
  const key = path.at(-1);
  if (key === "database" || key === "direct_url")
    return "a connection string or a mapping of host, port, name, user and password";
  if (issue.code !== "invalid_type") return "something else";
  return TYPE_WORDS[issue.expected] ?? "a text";
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
  array: "a list",
  boolean: "true or false",
};

function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "date";
  return typeof value === "object" ? "a mapping" : typeof value === "string" ? "a text" : typeof value;
}

function valueAt(data: unknown, path: KeyPath): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.entries(value).find(([name]) => name === String(key))?.[1];
  }
  return value;
}
