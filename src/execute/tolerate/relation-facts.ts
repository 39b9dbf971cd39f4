/** Facts of tables and what belongs to them; `$1` is the relation, `$2` the one whose columns its expressions are read with. */

/** An SQL expression that is `text` with its operands; a null operand makes it null. */
const NAME = (schema: string, name: string): string =>
  `pg_catalog.quote_ident(${schema}) || '.' || pg_catalog.quote_ident(${name})`;

const COLUMNS_OF = (numbers: string, relation: string): string =>
  `(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(ka.attname), ', ' ORDER BY k.n)
    FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY k (att, n)
    JOIN pg_catalog.pg_attribute ka ON ka.attrelid = ${relation} AND ka.attnum = k.att)`;

const RELATION_NAME = (oid: string): string =>
  `(SELECT ${NAME("rn.nspname", "r.relname")} FROM pg_catalog.pg_class r
    JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = ${oid})`;

export const SEQUENCE_TEXT = (oid: string): string =>
  `(SELECT 'AS ' || pg_catalog.format_type(q.seqtypid, NULL) || ' START ' || q.seqstart || ' INCREMENT ' || q.seqincrement
    || ' MINVALUE ' || q.seqmin || ' MAXVALUE ' || q.seqmax || ' CACHE ' || q.seqcache || CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END
    FROM pg_catalog.pg_sequence q WHERE q.seqrelid = ${oid})`;

/**
 * One key of an index, written as in CREATE INDEX; expressions are told apart, since the catalog keeps them together.
 * Columns that newer servers have are read by way of JSON, so that one text serves every major.
 */
const INDEX_KEYS = `(SELECT pg_catalog.string_agg(
    CASE WHEN k.att = 0 THEN '<expression>' ELSE pg_catalog.quote_ident(ka.attname) END
    || CASE WHEN k.n > i.indnkeyatts OR i.indcollation[k.n - 1] = 0
         OR i.indcollation[k.n - 1] = coalesce(ka.attcollation, (SELECT typcollation FROM pg_catalog.pg_type WHERE oid = ia.atttypid)) THEN ''
       ELSE ' COLLATE ' || (SELECT ${NAME("kn.nspname", "ko.collname")} FROM pg_catalog.pg_collation ko
         JOIN pg_catalog.pg_namespace kn ON kn.oid = ko.collnamespace WHERE ko.oid = i.indcollation[k.n - 1]) END
    || coalesce((SELECT CASE WHEN kc.opcdefault AND ia.attoptions IS NULL THEN '' ELSE ' ' || ${NAME("kn.nspname", "kc.opcname")} END
         FROM pg_catalog.pg_opclass kc JOIN pg_catalog.pg_namespace kn ON kn.oid = kc.opcnamespace
         WHERE kc.oid = i.indclass[k.n - 1] AND k.n <= i.indnkeyatts), '')
    || coalesce(' (' || pg_catalog.array_to_string(ia.attoptions, ', ') || ')', '')
    || CASE WHEN k.n > i.indnkeyatts THEN '' ELSE CASE i.indoption[k.n - 1] & 3 WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE '' END END
    || CASE WHEN k.n = i.indnkeyatts AND i.indnatts > i.indnkeyatts THEN ') INCLUDE (' WHEN k.n = i.indnatts THEN '' ELSE ', ' END,
    '' ORDER BY k.n)
  FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY k (att, n)
  JOIN pg_catalog.pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = k.n
  LEFT JOIN pg_catalog.pg_attribute ka ON ka.attrelid = i.indrelid AND ka.attnum = k.att)`;

const INDEX_TEXT = `'(' || ${INDEX_KEYS} || ')'
  || coalesce(' <' || pg_catalog.pg_get_expr(i.indexprs, $2::pg_catalog.oid) || '>', '')
  || CASE WHEN pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN ' NULLS NOT DISTINCT' ELSE '' END
  || coalesce(' WITH (' || (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o) FROM pg_catalog.unnest(x.reloptions) o) || ')', '')
  || coalesce(' TABLESPACE ' || (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = x.reltablespace), '')
  || coalesce(' WHERE ' || pg_catalog.pg_get_expr(i.indpred, $2::pg_catalog.oid), '')`;

export const INDEX_SQL = `SELECT 'index' AS subject, v.property, v.value
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = x.relam,
LATERAL (VALUES
  (1, 'table', 'on ' || ${RELATION_NAME("i.indrelid")}),
  (2, 'uniqueness', CASE WHEN i.indisunique THEN 'UNIQUE' END),
  (3, 'method', 'USING ' || am.amname),
  (4, 'definition', ${INDEX_TEXT}),
  (5, 'valid', CASE WHEN i.indisvalid AND i.indisready THEN 'valid' ELSE 'INVALID' END)
) v (ord, property, value)
WHERE i.indexrelid = $1::pg_catalog.oid ORDER BY v.ord`;

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

const EXCLUSION_OPERATORS = `(SELECT pg_catalog.string_agg(${NAME("n.nspname", "o.oprname")}, ', ' ORDER BY k.n)
  FROM pg_catalog.unnest(c.conexclop) WITH ORDINALITY k (op, n) JOIN pg_catalog.pg_operator o ON o.oid = k.op
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace)`;

/** Constraints as ALTER TABLE … ADD CONSTRAINT writes them. NOT NULL is told with its column, whatever it is called. */
export const CONSTRAINTS_SQL = `SELECT 'constraint ' || pg_catalog.quote_ident(c.conname) AS subject, 'definition' AS property,
  CASE c.contype WHEN 'c' THEN 'CHECK (' || pg_catalog.pg_get_expr(c.conbin, $2::pg_catalog.oid) || ')' || CASE WHEN c.connoinherit THEN ' NO INHERIT' ELSE '' END
    WHEN 'f' THEN ${FOREIGN_KEY_TEXT}
    ELSE CASE c.contype WHEN 'p' THEN 'PRIMARY KEY ' WHEN 'u' THEN 'UNIQUE ' ELSE 'EXCLUDE USING ' || am.amname || ' ' END
      || ${INDEX_TEXT} || coalesce(' with operators ' || ${EXCLUSION_OPERATORS}, '') END
  || CASE WHEN pg_catalog.to_jsonb(c) ->> 'conperiod' = 'true' THEN ' over periods' ELSE '' END
  || CASE WHEN c.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
  || CASE WHEN pg_catalog.to_jsonb(c) ->> 'conenforced' = 'false' THEN ' NOT ENFORCED' WHEN NOT c.convalidated THEN ' NOT VALID' ELSE '' END AS value
FROM pg_catalog.pg_constraint c LEFT JOIN pg_catalog.pg_index i ON c.contype IN ('p', 'u', 'x') AND i.indexrelid = c.conindid
LEFT JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid LEFT JOIN pg_catalog.pg_am am ON am.oid = x.relam
WHERE c.conrelid = $1::pg_catalog.oid AND c.contype IN ('c', 'f', 'p', 'u', 'x') ORDER BY c.conname`;

export const COLUMNS_SQL = `SELECT 'column ' || pg_catalog.quote_ident(a.attname) AS subject, v.property, v.value
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace,
LATERAL (VALUES
  (1, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)),
  (2, 'collation', CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || ${NAME("cn.nspname", "co.collname")} END),
  (3, 'NOT NULL', CASE WHEN a.attnotnull THEN 'NOT NULL' || CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint nc
    WHERE nc.conrelid = a.attrelid AND nc.contype = 'n' AND nc.conkey[1] = a.attnum AND NOT nc.convalidated) THEN ' NOT VALID' ELSE '' END END),
  (4, 'default', CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, $2::pg_catalog.oid) END),
  (5, 'generated value', CASE WHEN a.attgenerated <> '' THEN 'GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, $2::pg_catalog.oid)
    || ') ' || CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END END),
  (6, 'identity', CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END
    || ' (' || (SELECT ${SEQUENCE_TEXT("p.objid")} FROM pg_catalog.pg_depend p WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype = 'i') || ')'),
  (7, 'storage', CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || CASE a.attstorage
    WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
  (8, 'compression', CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END),
  (9, 'options', '(' || pg_catalog.array_to_string(a.attoptions, ', ') || ')')
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
export const RELATION_SQL = `SELECT 'it' AS subject, v.property, v.value
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid,
LATERAL (VALUES
  (1, 'UNLOGGED', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' WHEN 't' THEN 'TEMPORARY' END),
  (2, 'partitions', ${PARTITION_KEY}),
  (3, 'parent', (SELECT CASE WHEN c.relispartition THEN 'PARTITION OF ' ELSE 'INHERITS ' END
    || pg_catalog.string_agg(${RELATION_NAME("h.inhparent")}, ', ' ORDER BY h.inhseqno)
    FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid HAVING count(*) > 0)),
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
