import { NAME, RELATION_NAME } from "./sql-parts.ts";

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

/** Of `i`, an index, and `x`, its relation; expressions are read with the columns of `$2`. */
export const INDEX_TEXT = `'(' || ${INDEX_KEYS} || ')'
  || coalesce(' <' || pg_catalog.pg_get_expr(i.indexprs, $2::pg_catalog.oid) || '>', '')
  || CASE WHEN pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN ' NULLS NOT DISTINCT' ELSE '' END
  || coalesce(' WITH (' || (SELECT pg_catalog.string_agg(o, ', ' ORDER BY o) FROM pg_catalog.unnest(x.reloptions) o) || ')', '')
  || coalesce(' TABLESPACE ' || (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = x.reltablespace), '')
  || coalesce(' WHERE ' || pg_catalog.pg_get_expr(i.indpred, $2::pg_catalog.oid), '')`;

/** Facts of an index: `$1`; its table, or a copy of that: `$2`. */
export const INDEX_SQL = `SELECT 'index' AS subject, v.property, v.value
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = x.relam,
LATERAL (VALUES
  (1, 'table', 'on ' || ${RELATION_NAME("i.indrelid")}),
  (2, 'uniqueness', CASE WHEN i.indisunique THEN 'UNIQUE' END),
  (3, 'method', 'USING ' || am.amname),
  (4, 'definition', ${INDEX_TEXT}),
  (5, 'valid', CASE WHEN i.indisvalid AND i.indisready THEN 'valid' ELSE 'INVALID' END),
  (6, 'constraint', (SELECT 'made by the constraint ' || pg_catalog.quote_ident(c.conname) FROM pg_catalog.pg_constraint c
    WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid AND c.contype IN ('p', 'u', 'x')))
) v (ord, property, value)
WHERE i.indexrelid = $1::pg_catalog.oid ORDER BY v.ord`;

/** The indexes of the table `$1` that belong to no constraint, by what they are: their names are chosen by the server. */
export const INDEXES_SQL = `SELECT 'index ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'USING ' || am.amname || ' ' || ${INDEX_TEXT} AS subject,
  'valid' AS property, CASE WHEN pg_catalog.bool_or(i.indisvalid) THEN 'valid' ELSE 'INVALID' END AS value
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = x.relam
WHERE i.indrelid = $1::pg_catalog.oid AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid)
GROUP BY 1 ORDER BY 1`;
