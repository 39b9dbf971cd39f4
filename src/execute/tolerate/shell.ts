import { ident, qualified } from "../../sql/quote.ts";
import { NotComparable } from "./creation.ts";
import type { Scratch } from "./scratch.ts";

export interface ShellOptions {
  /** Left out: one that nothing else has. */
  readonly name?: string;
  /** Columns to leave out. */
  readonly without?: ReadonlySet<string>;
  /** Whether foreign keys are to refer to it: then it has the keys of the live one. */
  readonly withKeys?: boolean;
  /** Whether partitions are to be made of it: then it is partitioned as the live one. */
  readonly partitioned?: boolean;
}

export interface Shell {
  readonly oid: string;
  readonly name: string;
}

const ATTRIBUTES_SQL = `SELECT a.attname AS name, a.attisdropped AS dropped, c.relkind AS kind,
  CASE WHEN NOT a.attisdropped THEN pg_catalog.format_type(a.atttypid, a.atttypmod) END AS type,
  CASE WHEN a.attcollation <> 0 THEN pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(co.collname) END AS collation
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace
WHERE c.oid = $1::pg_catalog.oid ORDER BY a.attnum`;

/** Columns of each key that a foreign key may refer to (manual 5.5.5): unique, of columns alone, of all rows, not deferred. */
const KEYS_SQL = `SELECT i.indisprimary AS primary, (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.n)
    FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY k (att, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att WHERE k.n <= i.indnkeyatts)
  || CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid
    AND pg_catalog.to_jsonb(c) ->> 'conperiod' = 'true') THEN ' WITHOUT OVERLAPS' ELSE '' END AS columns
FROM pg_catalog.pg_index i WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
  AND i.indexprs IS NULL AND i.indpred IS NULL ORDER BY i.indexrelid`;

const PARTITION_SQL = `SELECT p.partstrat AS strategy, p.partexprs IS NOT NULL AS has_expressions,
  (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.n)
    FROM pg_catalog.unnest(p.partattrs) WITH ORDINALITY k (att, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.att) AS columns
FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = $1::pg_catalog.oid`;

/** `pg_partitioned_table.partstrat`. */
const STRATEGIES: Readonly<Record<string, string>> = { l: "LIST", r: "RANGE", h: "HASH" };

/**
 * Makes an empty copy of a live relation in the scratch, from the catalog alone: the live one is neither opened nor locked. Its
 * columns have the same numbers, dropped ones included, so that the live one's expressions can be read as the copy's.
 */
export async function makeShell(scratch: Scratch, oid: string, options: ShellOptions = {}): Promise<Shell> {
  const { session } = scratch;
  await scratch.open();
  const name = options.name ?? scratch.freshName();
  const attributes = await session.rows(ATTRIBUTES_SQL, [oid]);
  const kept = attributes.filter(
    ({ name: column }) => column !== null && options.without?.has(column ?? "") !== true,
  );
  const isView = attributes[0]?.kind === "v";
  const columns: string[] = [];
  const dropped: string[] = [];
  for (const [index, attribute] of kept.entries()) {
    const gone = attribute.dropped === "t";
    const column = ident(gone ? `godwit dropped ${index}` : (attribute.name ?? ""));
    const collation = attribute.collation ?? null;
    const collate = collation === null ? "" : ` COLLATE ${collation}`;
    if (gone) dropped.push(`DROP COLUMN ${column}`);
    if (isView) columns.push(`NULL::${attribute.type ?? ""}${collate} AS ${column}`);
    else columns.push(gone ? `${column} pg_catalog.int4` : `${column} ${attribute.type ?? ""}${collate}`);
  }
  const shell = scratch.named(name);
  const partition = options.partitioned === true ? await partitionClause(scratch, oid) : "";
  await scratch.run(
    isView
      ? `CREATE VIEW ${shell} AS SELECT ${columns.join(", ")}`
      : `CREATE TABLE ${shell} (${columns.join(", ")})${partition}`,
  );
  if (dropped.length > 0) await scratch.run(`ALTER TABLE ${shell} ${dropped.join(", ")}`);
  if (options.withKeys === true) {
    for (const key of await session.rows(KEYS_SQL, [oid])) {
      const kind = key.primary === "t" ? "PRIMARY KEY" : "UNIQUE";
      await scratch.run(`ALTER TABLE ${shell} ADD ${kind} (${key.columns ?? ""})`);
    }
  }
  const [made] = await session.rows(
    `SELECT s.oid, n.nspname AS live_schema, l.relname AS live_name FROM pg_catalog.pg_class s, pg_catalog.pg_class l
     JOIN pg_catalog.pg_namespace n ON n.oid = l.relnamespace
     WHERE s.relname = $1 AND s.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $2) AND l.oid = $3::pg_catalog.oid`,
    [name, scratch.schema, oid],
  );
  scratch.standsFor(shell, qualified(made?.live_schema ?? "", made?.live_name ?? ""));
  return { oid: made?.oid ?? "0", name };
}

async function partitionClause(scratch: Scratch, oid: string): Promise<string> {
  const [row] = await scratch.session.rows(PARTITION_SQL, [oid]);
  if (row === undefined)
    throw new NotComparable("the table that it is to be a partition of has no partitions");
  if (row.has_expressions === "t") throw new NotComparable("the table is partitioned by an expression");
  return ` PARTITION BY ${STRATEGIES[row.strategy ?? ""] ?? ""} (${row.columns ?? ""})`;
}
