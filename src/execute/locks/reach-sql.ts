import type { Reach } from "../../sql/locks/types.ts";

/** A part of the question, for requests of some reaches alone: planning all of it takes longer than answering it. */
interface Part {
  readonly for: readonly Reach[];
  /** Common table expressions that it needs. */
  readonly with?: string;
  /** Selects the number of the request and the oid of a relation. */
  readonly select: string;
}

const READS = `reads AS (
  SELECT w.ev_class AS reader, d.refobjid AS oid FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> w.ev_class)`;

const OWNS = `JOIN pg_catalog.pg_depend d ON d.deptype IN ('a', 'i')
  AND d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass`;

const PARTS: readonly Part[] = [
  { for: ["itself"], select: "SELECT n, oid FROM subject WHERE reach = 'itself'" },
  {
    for: ["children", "partitions", "tables of partitions"],
    // Children of an ordinary table have the like of its checks alone.
    with: `down AS (
  SELECT s.n, i.inhrelid AS oid FROM subject s JOIN pg_catalog.pg_inherits i ON i.inhparent = s.oid
    WHERE s.reach IN ('children', 'partitions', 'tables of partitions')
      AND (s.relkind IN ('p', 'I')) = (s.reach <> 'children')
      AND (s.through IS NULL OR s.relkind = 'p' OR NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = s.oid AND k.conname = s.through AND k.contype NOT IN ('c', 'n')))
  UNION SELECT d.n, i.inhrelid FROM down d JOIN pg_catalog.pg_inherits i ON i.inhparent = d.oid)`,
    select: "SELECT d.n, d.oid FROM down d JOIN subject s ON s.n = d.n AND s.reach <> 'tables of partitions'",
  },
  {
    for: ["tables of partitions"],
    select: `SELECT d.n, x.indrelid FROM down d JOIN subject s ON s.n = d.n AND s.reach = 'tables of partitions'
    JOIN pg_catalog.pg_index x ON x.indexrelid = d.oid`,
  },
  {
    for: ["base", "query"],
    with: `base AS (
  SELECT s.n, r.oid FROM subject s JOIN reads r ON r.reader = s.oid
    WHERE (s.reach = 'base' AND s.relkind = 'v') OR (s.reach = 'query' AND s.relkind = 'm')
  UNION SELECT b.n, r.oid FROM base b JOIN pg_catalog.pg_class c ON c.oid = b.oid AND c.relkind IN ('v', 'r', 'p')
    JOIN LATERAL (SELECT v.oid FROM reads v WHERE v.reader = b.oid AND c.relkind = 'v'
      UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = b.oid) r ON true)`,
    select: "SELECT n, oid FROM base",
  },
  {
    for: ["views"],
    with: `views AS (
  SELECT s.n, r.reader AS oid FROM subject s JOIN reads r ON r.oid = s.oid WHERE s.reach = 'views'
  UNION SELECT v.n, r.reader FROM views v JOIN reads r ON r.oid = v.oid)`,
    select: "SELECT n, oid FROM views",
  },
  {
    for: ["cascade"],
    with: `cascade AS (
  SELECT s.n, s.oid FROM subject s WHERE s.reach = 'cascade'
  UNION SELECT c.n, f.conrelid FROM cascade c
    JOIN pg_catalog.pg_constraint f ON f.confrelid = c.oid AND f.contype = 'f')`,
    select: "SELECT c.n, c.oid FROM cascade c JOIN subject s ON s.n = c.n AND s.oid <> c.oid",
  },
  {
    for: ["table"],
    select: `SELECT s.n, x.indrelid FROM subject s JOIN pg_catalog.pg_index x ON x.indexrelid = s.oid
    WHERE s.reach = 'table'`,
  },
  {
    for: ["indexes"],
    select: `SELECT s.n, x.indexrelid FROM subject s JOIN pg_catalog.pg_index x ON x.indrelid = s.oid
    WHERE s.reach = 'indexes'`,
  },
  {
    for: ["sequences"],
    select: `SELECT s.n, d.objid FROM subject s ${OWNS} AND d.refobjid = s.oid
    JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S' WHERE s.reach = 'sequences'
      AND (s.through IS NULL OR d.refobjsubid = (SELECT a.attnum FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = s.oid AND a.attname = s.through))`,
  },
  {
    for: ["owner"],
    select: `SELECT s.n, d.refobjid FROM subject s ${OWNS} AND d.objid = s.oid
    WHERE s.reach = 'owner' AND s.relkind = 'S'`,
  },
  {
    for: ["parent"],
    select: `SELECT s.n, i.inhparent FROM subject s JOIN pg_catalog.pg_inherits i ON i.inhrelid = s.oid
    JOIN pg_catalog.pg_class p ON p.oid = s.oid AND p.relispartition WHERE s.reach = 'parent'`,
  },
  {
    for: ["default partition"],
    select: `SELECT s.n, p.partdefid FROM subject s JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = s.oid
    WHERE s.reach = 'default partition' AND p.partdefid <> 0`,
  },
  {
    for: ["referenced", "own referenced"],
    select: `SELECT s.n, k.confrelid FROM subject s
    JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f'
    WHERE s.reach IN ('referenced', 'own referenced') AND k.confrelid <> s.oid
      AND (s.through IS NULL OR k.conname = s.through) AND (s.reach = 'referenced' OR k.conparentid = 0)`,
  },
  {
    for: ["referencing"],
    select: `SELECT s.n, k.conrelid FROM subject s
    JOIN pg_catalog.pg_constraint k ON k.confrelid = s.oid AND k.contype = 'f'
    WHERE s.reach = 'referencing' AND k.conrelid <> s.oid AND (s.through IS NULL OR k.conindid = (
      SELECT u.conindid FROM pg_catalog.pg_constraint u WHERE u.conrelid = s.oid AND u.conname = s.through))`,
  },
  {
    for: ["column keys"],
    select: `SELECT s.n, CASE WHEN k.conrelid = s.oid THEN k.confrelid ELSE k.conrelid END FROM subject s
    JOIN pg_catalog.pg_attribute a ON a.attrelid = s.oid AND a.attname = s.through
    JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.conrelid <> k.confrelid
      AND ((k.conrelid = s.oid AND a.attnum = ANY (k.conkey)) OR (k.confrelid = s.oid AND a.attnum = ANY (k.confkey)))
    WHERE s.reach = 'column keys'`,
  },
  {
    for: ["of type"],
    select: `SELECT a.n, t.attrelid FROM asked a JOIN pg_catalog.pg_attribute t
      ON t.atttypid = pg_catalog.to_regtype(a.name)::oid AND NOT t.attisdropped
    JOIN pg_catalog.pg_class c ON c.oid = t.attrelid AND c.relkind IN ('r', 'm') WHERE a.reach = 'of type'`,
  },
  {
    for: ["of statistics"],
    select: `SELECT a.n, e.stxrelid FROM asked a JOIN pg_catalog.pg_statistic_ext e
      ON a.name IN (pg_catalog.quote_ident(e.stxname),
        pg_catalog.quote_ident(e.stxnamespace::regnamespace::text) || '.' || pg_catalog.quote_ident(e.stxname))
    WHERE a.reach = 'of statistics'`,
  },
];

/**
 * From the relations that are asked for to those that their `reach` means (see `Reach`), as the catalog is at this one
 * moment. The relations of the catalog itself are left out. `$ASKED` stands for the requests as a literal of JSON.
 */
export function reachSql(reaches: ReadonlySet<Reach>): string {
  const parts = PARTS.filter((part) => part.for.some((reach) => reaches.has(reach)));
  const needsReads = ["base", "query", "views"].some((reach) => reaches.has(reach as Reach));
  const expressions = [...(needsReads ? [READS] : []), ...parts.flatMap((part) => part.with ?? [])];
  return `WITH RECURSIVE asked AS MATERIALIZED (
  SELECT r.n, r.reach, r.through, r.name,
    CASE WHEN r.reach NOT IN ('of type', 'of statistics') THEN pg_catalog.to_regclass(r.name)::oid END AS oid
  FROM pg_catalog.jsonb_to_recordset($ASKED::jsonb) AS r(n integer, name text, reach text, through text)
), subject AS MATERIALIZED (
  SELECT a.n, a.reach, a.through, c.oid, c.relkind FROM asked a JOIN pg_catalog.pg_class c ON c.oid = a.oid
), ${expressions.map((expression) => `${expression}, `).join("")}found(n, oid) AS MATERIALIZED (
  ${parts.map(({ select }) => select).join("\n  UNION ")}
), above AS (
  SELECT k.conrelid AS oid, k.confrelid AS referenced FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conrelid IN (SELECT oid FROM found)
  UNION SELECT a.oid, k.confrelid FROM above a JOIN pg_catalog.pg_constraint k
    ON k.contype = 'f' AND k.conrelid = a.referenced
)
SELECT f.n, c.oid, s.nspname AS schema, c.relname AS name,
  pg_catalog.current_setting('server_version_num') AS version,
  c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') AS lockable,
  (SELECT count(*) FROM above a WHERE a.oid = c.oid) AS depth
FROM found f JOIN pg_catalog.pg_class c ON c.oid = f.oid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
ORDER BY f.n, s.nspname, c.relname`;
}
