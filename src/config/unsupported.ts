import type { KeyPath } from "./source.ts";

interface Unsupported {
  /** `*` stands for any key. */
  readonly path: readonly string[];
  /** Whether this value asks for what is missing; a value that asks for nothing passes. */
  readonly asks: (value: unknown) => boolean;
}

const always = (): boolean => true;

/** Keys and values that the configuration knows and this version does not do yet: refused by name, never ignored. */
const UNSUPPORTED: readonly Unsupported[] = [
  { path: ["streams", "*", "tenants"], asks: always },
  { path: ["streams", "*", "run"], asks: always },
  { path: ["streams", "*", "schema"], asks: always },
  { path: ["tenants"], asks: always },
  { path: ["run"], asks: always },
  { path: ["schema"], asks: always },
  { path: ["safety", "refuse"], asks: (value) => Array.isArray(value) && value.length > 0 },
  { path: ["safety", "backup"], asks: (value) => typeof value === "string" && value !== "never" },
];

/** What a configuration asks for that this version does not do. */
export function findUnsupported(data: unknown): readonly KeyPath[] {
  return UNSUPPORTED.flatMap(({ path, asks }) =>
    matches(data, path)
      .filter(({ value }) => asks(value))
      .map((match) => match.path),
  );
}

/** A copy of the data without the values at these paths. */
export function without(data: unknown, paths: readonly KeyPath[]): unknown {
  return paths.reduce(withoutPath, data);
}

function withoutPath(data: unknown, path: KeyPath): unknown {
  const [key, ...rest] = path;
  if (!isRecord(data) || key === undefined) return data;
  const { [key]: value, ...others } = data;
  return rest.length === 0 ? others : { ...others, [key]: withoutPath(value, rest) };
}

function matches(
  data: unknown,
  pattern: readonly string[],
  before: KeyPath = [],
): readonly { readonly path: KeyPath; readonly value: unknown }[] {
  const [key, ...rest] = pattern;
  if (key === undefined) return [{ path: before, value: data }];
  if (!isRecord(data)) return [];
  const keys = key === "*" ? Object.keys(data) : Object.hasOwn(data, key) ? [key] : [];
  return keys.flatMap((found) => matches(data[found], rest, [...before, found]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
