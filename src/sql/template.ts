import { GodwitError } from "../core/error.ts";
import { ident, literalOf } from "./quote.ts";
import { assertHoles } from "./template-holes.ts";

/** A query with its values apart from its text, as `sql` makes it; it can stand inside another one. */
export interface SqlQuery {
  /** With $1, $2, … where the values belong. */
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Writes queries whose values never become part of the text. */
export interface SqlTag {
  /**
   * `sql`SELECT … WHERE id = ${id}``: each value becomes a parameter, each query made by `sql` a part of the text with
   * its own values. Escapes in the template are those of JavaScript: a backslash is written twice.
   * @throws GodwitError USAGE for undefined, for a value inside quotes or a comment or glued to a word, and for more
   *   than 65 535 values (the protocol's limit).
   */
  (strings: TemplateStringsArray, ...values: readonly unknown[]): SqlQuery;
  /** A name, quoted where needed; with several names a qualified one: `sql.ident("app", "Users")` is `app."Users"`. */
  ident(...names: readonly string[]): SqlQuery;
  /** The same as `ident`. */
  identifier(...names: readonly string[]): SqlQuery;
  /** Text that is taken as SQL as it stands: never for anything that comes from outside. */
  raw(text: string): SqlQuery;
  /** Queries or values one behind the other; the separator, `, ` by default, is SQL as it stands. */
  join(items: readonly unknown[], separator?: string | SqlQuery): SqlQuery;
  /** A value as a literal in the text, for commands that take no parameters (DDL). */
  literal(value: unknown): SqlQuery;
}

type Part = { readonly sql: string } | { readonly value: unknown };

const MAX_VALUES = 65_535;

/** The parts of each query that was made here: an object of the same shape from elsewhere is a value, not SQL. */
const partsOf: WeakMap<object, readonly Part[]> = shared("godwit.sql.parts", () => new WeakMap());

/** One value for all copies of this module: the command line and the library are bundled apart. */
function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(name);
  const known: T | undefined = Reflect.get(globalThis, key);
  if (known !== undefined) return known;
  const made = make();
  Reflect.set(globalThis, key, made);
  return made;
}

function toQuery(parts: readonly Part[]): SqlQuery {
  const values: unknown[] = [];
  let text = "";
  for (const part of parts) {
    if ("sql" in part) text += part.sql;
    else {
      values.push(part.value);
      text += `$${values.length}`;
    }
  }
  if (values.length > MAX_VALUES) {
    throw new GodwitError(
      "USAGE",
      `a query of ${values.length} values: PostgreSQL takes ${MAX_VALUES} at most`,
      {
        hint: "send it in several queries, or one array with unnest()",
      },
    );
  }
  const query = Object.freeze({ text, values: Object.freeze(values) });
  partsOf.set(query, parts);
  return query;
}

function toParts(value: unknown): readonly Part[] {
  const parts = typeof value === "object" && value !== null ? partsOf.get(value) : undefined;
  if (parts !== undefined) return parts;
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    const hint = "give null for NULL, and sql.raw(…), sql.ident(…) or another sql`…` for parts of the text";
    throw new GodwitError("USAGE", `${typeof value} is no value for a query`, { hint });
  }
  return [{ value }];
}

function tag(strings: TemplateStringsArray, ...values: readonly unknown[]): SqlQuery {
  const parts: Part[] = [];
  const isPart = values.map((value) => typeof value === "object" && value !== null && partsOf.has(value));
  assertHoles(strings, isPart);
  for (const [index, text] of strings.entries()) {
    if (index > 0) parts.push(...toParts(values[index - 1]));
    if (text !== "") parts.push({ sql: text });
  }
  return toQuery(parts);
}

function raw(text: string): SqlQuery {
  return toQuery([{ sql: text }]);
}

function joinNames(...names: readonly string[]): SqlQuery {
  if (names.length === 0) throw new GodwitError("USAGE", "sql.ident needs a name");
  return raw(names.map(ident).join("."));
}

function join(items: readonly unknown[], separator: string | SqlQuery = ", "): SqlQuery {
  const between = typeof separator === "string" ? [{ sql: separator }] : toParts(separator);
  const parts: Part[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0) for (const part of between) parts.push(part);
    for (const part of toParts(item)) parts.push(part);
  }
  return toQuery(parts);
}

export const sql: SqlTag = Object.freeze(
  Object.assign(tag, {
    ident: joinNames,
    identifier: joinNames,
    raw,
    join,
    literal: (value: unknown): SqlQuery => raw(literalOf(value)),
  }),
);
