import { GodwitError } from "../core/error.ts";
import { RESERVED_WORDS } from "./reserved-words.ts";

const PLAIN_NAME = /^[a-z_][a-z0-9_]*$/;

/**
 * A name as an identifier, quoted only where it must be, as the server's quote_ident does.
 * @throws GodwitError USAGE for an empty name or one with a NUL character, which no object can have.
 */
export function ident(name: string): string {
  if (name === "") throw unusable("an empty name cannot be an identifier");
  if (PLAIN_NAME.test(name) && !RESERVED_WORDS.has(name)) return name;
  return `"${withoutNul(name).replaceAll('"', '""')}"`;
}

/** A name in a schema: `app."Users"`; without a schema (null) it is found through search_path. Throws as `ident` does. */
export function qualified(schema: string | null, name: string): string {
  return schema === null ? ident(name) : `${ident(schema)}.${ident(name)}`;
}

/**
 * A text as a string literal, NULL for null; right under either standard_conforming_strings, as quote_literal's.
 * @throws GodwitError USAGE for a NUL character, which PostgreSQL's text cannot hold.
 */
export function literal(value: string | null): string {
  if (value === null) return "NULL";
  const quoted = `'${withoutNul(value).replaceAll("'", "''")}'`;
  return quoted.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/**
 * Texts as one literal of a composite type, for columns of any type that reads text (manual 8.16.6); null: NULL.
 * @throws GodwitError USAGE for a NUL character.
 */
export function compositeLiteral(values: readonly (string | null)[]): string {
  return literal(`(${values.map((value) => (value === null ? "" : innerQuoted(value))).join(",")})`);
}

/** Texts as the text of an array (manual 8.15.2), to stand in a literal or in a column of `compositeLiteral`. */
export function arrayText(values: readonly string[]): string {
  return `{${values.map(innerQuoted).join(",")}}`;
}

/** In double quotes, as arrays and composite values read their elements. */
function innerQuoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, "\\$&") : text}"`;
}

/**
 * A text in dollar quotes, with a tag that does not occur in it; for bodies of functions and DO blocks.
 * @throws GodwitError USAGE for a NUL character.
 */
export function dollarQuote(text: string): string {
  withoutNul(text);
  for (let number = 0; ; number += 1) {
    const tag = number === 0 ? "$$" : `$godwit${number === 1 ? "" : number}$`;
    // A text that ends with the beginning of the tag would close too early.
    if (`${text}${tag}`.indexOf(tag) === text.length) return `${tag}${text}${tag}`;
  }
}

/**
 * A JavaScript value as an SQL literal of the type that fits: string → untyped literal, number and bigint → number,
 * boolean, null → NULL, Date → timestamptz, bytes → bytea, array → ARRAY[…] (an empty one '{}'), plain object → jsonb.
 * @throws GodwitError USAGE for what has no literal: undefined, functions, symbols, invalid dates, NUL characters,
 *   objects that JSON would empty (Map, Set, …) or cannot write (bigint or a circle inside).
 */
export function literalOf(value: unknown): string {
  if (typeof value === "string") return literal(value);
  if (typeof value === "number") return numberLiteral(value);
  if (typeof value === "bigint") return signed(value.toString());
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value === "object") return objectLiteral(value);
  throw unusable(`${typeof value} has no literal`, value === undefined ? "write null for NULL" : undefined);
}

function numberLiteral(value: number): string {
  if (Object.is(value, -0)) return "'-0'::float8";
  return Number.isFinite(value) ? signed(String(value)) : `'${value}'::float8`;
}

/** In parentheses if negative: `a -${-1}` would begin a comment, and `-1::text` negate a text. */
function signed(digits: string): string {
  return digits.startsWith("-") ? `(${digits})` : digits;
}

function objectLiteral(value: object | null): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return arrayLiteral(value);
  if (value instanceof Date) return `${literal(timestamp(value))}::timestamptz`;
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `${literal(`\\x${bytes.toString("hex")}`)}::bytea`;
  }
  return `${literal(json(value))}::jsonb`;
}

function arrayLiteral(values: readonly unknown[]): string {
  const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.every(isEmpty);
  // PostgreSQL has one empty array, of no dimensions.
  return isEmpty(values) ? "'{}'" : `ARRAY[${values.map(literalOf).join(", ")}]`;
}

/** ISO 8601 as PostgreSQL reads it: no signs before the year, BC behind. */
function timestamp(date: Date): string {
  const year = date.getUTCFullYear();
  if (Number.isNaN(year)) throw unusable("an invalid Date has no literal");
  const rest = date.toISOString().replace(/^[+-]?\d+/, "");
  const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
  return year > 0 ? `${shown}${rest}` : `${shown}${rest} BC`;
}

function json(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || prototype === Object.prototype;
  if (!isPlain && !("toJSON" in value)) {
    const name = value.constructor.name;
    throw unusable(`a ${name} has no literal`, "give a plain object, or JSON.stringify(value)");
  }
  try {
    const text: unknown = JSON.stringify(value);
    if (typeof text === "string") return text;
  } catch (error) {
    throw unusable(
      `the object cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw unusable("the object's toJSON gives nothing");
}

function withoutNul(text: string): string {
  if (text.includes("\0")) throw unusable("PostgreSQL cannot hold a NUL character in text or names");
  return text;
}

function unusable(message: string, hint?: string): GodwitError {
  return new GodwitError("USAGE", message, hint === undefined ? {} : { hint });
}
