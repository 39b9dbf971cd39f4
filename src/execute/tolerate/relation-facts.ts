import { INDEX_TEXT } from "./index-facts.ts";
import { COLUMNS_OF, NAME, RELATION_NAME } from "./sql-parts.ts";

// Of all of these `$1` is the relation, and `$2` the one whose columns its expressions are read with.

/** The parameters of a sequence. */
export const SEQUENCE_TEXT = (oid: string): string =>
  `(SELECT 'AS ' || pg_catalog.format_type(q.seqtypid, NULL) || ' START ' || q.seqstart || ' INCREMENT ' || q.seqincrement
    || ' MINVALUE ' || q.seqmin || ' MAXVALUE ' || q.seqmax || ' CACHE ' || q.seqcache || CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END
    FROM pg_catalog.pg_sequence q WHERE q.seqrelid = ${oid})`;

/** The words of `pg_constraint.confupdtype` and `confdeltype`. */
const ACTION = (column: string): string =>
  `CASE ${column} WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END`;

const FOREIGN_KEY_TEXT = `'FOREIGN KEY (' || ${COLUMNS_OF("c.conkey", "c.conrelid")} || ') REFERENCES ' || ${RELATION_NAME("c.confrelid")}
  || ' (' || ${COLUMNS_OF("c.confkey", "c.confrelid")} || ')' || CASE c.confmatchtype WHEN 'f' THEN ' MATCH FULL' ELSE '' END
  || CASE c.confupdtype WHEN 'a' THEN '' ELSE ' ON UPDATE ' || ${ACTION("c.confupdtype")} END
  || CASE c.confdeltype WHEN 'a' THEN '' ELSE ' ON DELETE ' || ${ACTION("c.confdeltype")} END
  || coalesce(' (' || ${COLUMNS_OF(
    `(SELECT pg_catalog.array_agg(s::pg_catalog.int2) FROM pg_catalog.jsonb_array_elements_text(
      CASE pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(c) -> 'confdelsetcols') WHEN 'array' THEN pg_catalog.to_jsonb(c) -> 'confdelsetcols' ELSE '[]' END) s)`,
    "c.conrelid",
  )} || ')', '')`;

const EXCLUSION_OPERATORS = `(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname) || '.' || o.oprname, ', ' ORDER BY k.n)
  FROM pg_catalog.unnest(c.conexclop) WITH ORDINALITY k (op, n) JOIN pg_catalog.pg_operator o ON o.oid = k.op
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace)`;

/** What is said of a constraint whose index is not valid. */
export const INVALID_INDEX = ", its index INVALID";

/**
 * Constraints as ALTER TABLE … ADD CONSTRAINT writes them, and whether the server keeps to them: triggers of a foreign key may be disabled,
 * and the index of a partitioned table is not valid before each partition has one. NOT NULL is told with its column, whatever it is called.
 */
export const CONSTRAINTS_SQL = `SELECT 'constraint ' || pg_catalog.quote_ident(c.conname) AS subject, 'definition' AS property,
  CASE c.contype WHEN 'c' THEN 'CHECK (' || pg_catalog.pg_get_expr(c.conbin, $2::pg_catalog.oid) || ')' || CASE WHEN c.connoinherit THEN ' NO INHERIT' ELSE '' END
    WHEN 'f' THEN ${FOREIGN_KEY_TEXT}
    ELSE CASE c.contype WHEN 'p' THEN 'PRIMARY KEY ' WHEN 'u' THEN 'UNIQUE ' ELSE 'EXCLUDE USING ' || am.amname || ' ' END
      || ${INDEX_TEXT} || coalesce(' with operators ' || ${EXCLUSION_OPERATORS}, '') END
  || CASE WHEN pg_catalog.to_jsonb(c) ->> 'conperiod' = 'true' THEN ' over periods' ELSE '' END
  || CASE WHEN c.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
  || CASE WHEN pg_catalog.to_jsonb(c) ->> 'conenforced' = 'false' THEN ' NOT ENFORCED' WHEN NOT c.convalidated THEN ' NOT VALID' ELSE '' END
  || CASE WHEN NOT i.indisvalid THEN '${INVALID_INDEX}' ELSE '' END
  || CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger tg WHERE tg.tgconstraint = c.oid AND tg.tgenabled <> 'O')
    THEN ', its triggers not enabled as usual' ELSE '' END AS value
FROM pg_catalog.pg_constraint c LEFT JOIN pg_catalog.pg_index i ON c.contype IN ('p', 'u', 'x') AND i.indexrelid = c.conindid
LEFT JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid LEFT JOIN pg_catalog.pg_am am ON am.oid = x.relam
WHERE c.conrelid = $1::pg_catalog.oid AND c.contype IN ('c', 'f', 'p', 'u', 'x')
  -- A foreign key to a partitioned table has one more for each partition.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint parent WHERE parent.oid = c.conparentid AND parent.conrelid = c.conrelid) ORDER BY c.conname`;

/** Columns as CREATE TABLE writes them. */
export const COLUMNS_SQL = `SELECT 'column ' || pg_catalog.quote_ident(a.attname) AS subject, v.property, v.value
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace,
LATERAL (VALUES
  (1, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)),
  (2, 'collation', CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || ${NAME("cn.nspname", "co.collname")} END),
  (3, 'NOT NULL', CASE WHEN a.attnotnull THEN 'NOT NULL' || coalesce((SELECT CASE WHEN nc.connoinherit THEN ' NO INHERIT' ELSE '' END
    || CASE WHEN nc.convalidated THEN '' ELSE ' NOT VALID' END FROM pg_catalog.pg_constraint nc
    WHERE nc.conrelid = a.attrelid AND nc.contype = 'n' AND nc.conkey[1] = a.attnum), '') END),
  (4, 'default', CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, $2::pg_catalog.oid) END),
  (5, 'generated value', CASE WHEN a.attgenerated <> '' THEN 'GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, $2::pg_catalog.oid)
    || ') ' || CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END END),
  (6, 'identity', CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END
    || ' (' || (SELECT ${SEQUENCE_TEXT("p.objid")} FROM pg_catalog.pg_depend p WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype = 'i') || ')'),
  (7, 'sequence of its own', 'with the sequence ' || (SELECT pg_catalog.string_agg(${RELATION_NAME("p.objid")} || ' ' || ${SEQUENCE_TEXT("p.objid")}, ', ')
    FROM pg_catalog.pg_depend p WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.deptype = 'a'
      AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum
      AND EXISTS (SELECT FROM pg_catalog.pg_sequence q WHERE q.seqrelid = p.objid))),
  (8, 'storage', CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || CASE a.attstorage
    WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
  (9, 'compression', CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END),
  (10, 'options', '(' || pg_catalog.array_to_string(a.attoptions, ', ') || ')')
) v (ord, property, value)
WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum, v.ord`;

const PARTITION_KEY = `(SELECT 'PARTITION BY ' || CASE p.partstrat WHEN 'l' THEN 'LIST' WHEN 'r' THEN 'RANGE' ELSE 'HASH' END || ' ('
  || (SELECT pg_catalog.string_agg(CASE WHEN k.att = 0 THEN '<expression>' ELSE pg_catalog.quote_ident(ka.attname) END
        || CASE WHEN p.partcollation[k.n - 1] = 0 OR p.partcollation[k.n - 1] = ka.attcollation THEN ''
           ELSE ' COLLATE ' || (SELECT ${NAME("kn.nspname", "ko.collname")} FROM pg_catalog.pg_collation ko
             JOIN pg_catalog.pg_namespace kn ON kn.oid = ko.collnamespace WHERE ko.oid = p.partcollation[k.n - 1]) END
        || (SELECT CASE WHEN kc.opcdefault THEN '' ELSE ' ' || ${NAME("kn.nspname", "kc.opcname")} END FROM pg_catalog.pg_opclass kc
             JOIN pg_catalog.pg_namespace kn ON kn.oid = kc.opcnamespace WHERE kc.oid = p.partclass[k.n - 1]), ', ' ORDER BY k.n)
      FROM pg_catalog.unnest(p.partattrs) WITH ORDINALITY k (att, n)
      LEFT JOIN pg_catalog.pg_attribute ka ON ka.attrelid = p.partrelid AND ka.attnum = k.att) || ')'
  || coalesce(' <' || pg_catalog.pg_get_expr(p.partexprs, $2::pg_catalog.oid) || '>', '')
  FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = c.oid)`;

const OPTIONS = (relation: string): string =>
  `(SELECT pg_catalog.string_agg(o, ', ' ORDER BY o) FROM pg_catalog.unnest(${relation}.reloptions) o)`;

/** What a relation is as a whole. */
export const RELATION_SQL = `SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END AS subject, v.property, v.value
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid,
LATERAL (VALUES
  (1, 'UNLOGGED', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' WHEN 't' THEN 'TEMPORARY' END),
  (2, 'partitions', ${PARTITION_KEY}),
  (3, 'parent', (SELECT CASE WHEN c.relispartition THEN 'PARTITION OF ' ELSE 'INHERITS ' END
    || pg_catalog.string_agg(${RELATION_NAME("h.inhparent")} || CASE WHEN h.inhdetachpending THEN ', its detachment pending' ELSE '' END,
      ', ' ORDER BY h.inhseqno)
    FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid HAVING pg_catalog.count(*) > 0)),
  (4, 'bound', pg_catalog.pg_get_expr(c.relpartbound, $2::pg_catalog.oid)),
  (5, 'type', 'OF ' || CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END),
  (6, 'access method', (SELECT 'USING ' || amname FROM pg_catalog.pg_am WHERE oid = c.relam AND amname <> 'heap')),
  (7, 'options', 'WITH (' || ${OPTIONS("c")} || ')'),
  (8, 'toast options', 'WITH (toast: ' || ${OPTIONS("toast")} || ')'),
  (9, 'tablespace', 'TABLESPACE ' || (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace)),
  (10, 'row level security', CASE WHEN c.relrowsecurity OR c.relforcerowsecurity
    THEN CASE WHEN c.relforcerowsecurity THEN 'FORCE ' ELSE '' END || 'ROW LEVEL SECURITY' END)
) v (ord, property, value)
WHERE c.oid = $1::pg_catalog.oid ORDER BY v.ord`;
