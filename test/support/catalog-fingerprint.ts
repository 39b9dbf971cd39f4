import { OBJECT_QUERIES } from "./catalog/objects.ts";
import { RELATION_QUERIES } from "./catalog/relations.ts";

/** Runs one statement and gives its rows. All calls must reach the same session, which must not be in a transaction. */
type Query = (sql: string) => Promise<Record<string, string | null>[]>;

/** What decides how the server prints a definition, so that any two sessions print the same. */
const SETTINGS = [
  "SET LOCAL search_path = pg_catalog",
  "SET LOCAL timezone = 'UTC'",
  "SET LOCAL datestyle = 'ISO, YMD'",
  "SET LOCAL intervalstyle = 'iso_8601'",
  "SET LOCAL quote_all_identifiers = off",
];

/**
 * Everything a database's catalog says, one line for each object or attribute, sorted: two databases of one major version
 * with equal lines have the same schema. Left out are oids, the contents of tables and the positions of sequences.
 * @param options.excludeSchemas left out beside pg_catalog and information_schema; the default is Godwit's own, `godwit`.
 */
export async function catalogFingerprint(
  query: Query,
  options: { excludeSchemas?: string[] } = {},
): Promise<string[]> {
  const excluded = new Set(options.excludeSchemas ?? ["godwit"]);
  const lines: string[] = [];
  await query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    for (const sql of SETTINGS) await query(sql);
    for (const sql of [...OBJECT_QUERIES, ...RELATION_QUERIES]) {
      for (const { schema = null, line = null } of await query(sql)) {
        if (line === null) throw new Error("a catalog query gave a row without a line");
        if (schema === null || !excluded.has(schema)) lines.push(line.replaceAll("\n", "\\n"));
      }
    }
  } finally {
    await query("ROLLBACK");
  }
  return lines.sort();
}
