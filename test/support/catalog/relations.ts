import { acl, own, user, USER_SCHEMA } from "./parts.ts";

const RELATIONS = `
  SELECT n.nspname AS schema,
         format('relation %s kind=%s persistence=%s owner=%s access=%s tablespace=%s options=%s row_security=%s forced=%s '
                'replica_identity=%s populated=%s partition_key=%s parents=%s bound=%s type=%s grants=%s view=%s',
           c.oid::regclass, c.relkind, c.relpersistence, ${user("c.relowner")}, am.amname, ts.spcname,
           array_to_string(c.reloptions, ','), c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispopulated,
           CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
           (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno) FROM pg_inherits AS i WHERE i.inhrelid = c.oid),
           pg_get_expr(c.relpartbound, c.oid),
           nullif(c.reloftype, 0)::regtype,
           ${acl("r", "c.relacl", "c.relowner")},
           CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) AS line
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_am AS am ON am.oid = c.relam
  LEFT JOIN pg_tablespace AS ts ON ts.oid = c.reltablespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${USER_SCHEMA} AND ${own("pg_class", "c.oid")}`;

const COLUMNS = `
  SELECT n.nspname AS schema,
         format('column %s.%I position=%s type=%s collation=%s not_null=%s default=%s generated=%s identity=%s storage=%s '
                'compression=%s statistics=%s options=%s local=%s inherited=%s grants=%s',
           c.oid::regclass, a.attname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
           format_type(a.atttypid, a.atttypmod), nullif(a.attcollation, 0)::regcollation, a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity, a.attstorage, a.attcompression,
           nullif(a.attstattarget, -1), array_to_string(a.attoptions, ','), a.attislocal, a.attinhcount,
           (SELECT string_agg(g::text, ',' ORDER BY g::text) FROM unnest(a.attacl) AS g)) AS line
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
    AND ${USER_SCHEMA} AND ${own("pg_class", "c.oid")}`;

const CONSTRAINTS = `
  SELECT n.nspname AS schema,
         format('constraint %I on %s type=%s valid=%s local=%s inherited=%s no_inherit=%s index=%s %s',
           k.conname, CASE WHEN k.conrelid <> 0 THEN k.conrelid::regclass::text ELSE k.contypid::regtype::text END,
           k.contype, k.convalidated, k.conislocal, k.coninhcount, k.connoinherit, nullif(k.conindid, 0)::regclass,
           pg_get_constraintdef(k.oid)) AS line
  FROM pg_constraint AS k
  JOIN pg_namespace AS n ON n.oid = k.connamespace
  WHERE k.contype <> 't' AND ${USER_SCHEMA} AND ${own("pg_class", "k.conrelid")} AND ${own("pg_type", "k.contypid")}`;

const INDEXES = `
  SELECT n.nspname AS schema,
         format('index %s valid=%s ready=%s live=%s clustered=%s replica_identity=%s tablespace=%s parent=%s statistics=%s %s',
           c.oid::regclass, i.indisvalid, i.indisready, i.indislive, i.indisclustered, i.indisreplident, ts.spcname,
           (SELECT h.inhparent::regclass FROM pg_inherits AS h WHERE h.inhrelid = c.oid),
           (SELECT string_agg(a.attnum || ':' || a.attstattarget, ',' ORDER BY a.attnum)
            FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attstattarget >= 0),
           pg_get_indexdef(c.oid)) AS line
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_tablespace AS ts ON ts.oid = c.reltablespace
  WHERE ${USER_SCHEMA} AND ${own("pg_class", "i.indrelid")}`;

const TRIGGERS = `
  SELECT n.nspname AS schema,
         format('trigger %I on %s enabled=%s inherited=%s %s', t.tgname, c.oid::regclass, t.tgenabled, t.tgparentid <> 0,
           pg_get_triggerdef(t.oid)) AS line
  FROM pg_trigger AS t
  JOIN pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT t.tgisinternal AND ${USER_SCHEMA} AND ${own("pg_class", "c.oid")}`;

/** Without those that make a view a view: its line has the query. */
const RULES = `
  SELECT n.nspname AS schema,
         format('rule %I on %s enabled=%s %s', r.rulename, c.oid::regclass, r.ev_enabled, pg_get_ruledef(r.oid)) AS line
  FROM pg_rewrite AS r
  JOIN pg_class AS c ON c.oid = r.ev_class
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE r.rulename <> '_RETURN' AND ${USER_SCHEMA} AND ${own("pg_class", "c.oid")}`;

const POLICIES = `
  SELECT n.nspname AS schema,
         format('policy %I on %s command=%s permissive=%s roles=%s using=%s check=%s',
           p.polname, c.oid::regclass, p.polcmd, p.polpermissive,
           (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE quote_ident(${user("o")}) END, ',' ORDER BY ${user("o")})
            FROM unnest(p.polroles) AS o),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) AS line
  FROM pg_policy AS p
  JOIN pg_class AS c ON c.oid = p.polrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE ${own("pg_class", "c.oid")}`;

const STATISTICS = `
  SELECT n.nspname AS schema,
         format('statistics %I.%I owner=%s target=%s %s', n.nspname, s.stxname, ${user("s.stxowner")},
           nullif(s.stxstattarget, -1), pg_get_statisticsobjdef(s.oid)) AS line
  FROM pg_statistic_ext AS s
  JOIN pg_namespace AS n ON n.oid = s.stxnamespace
  WHERE ${own("pg_statistic_ext", "s.oid")}`;

/** Tables, views and what hangs on them. */
export const RELATION_QUERIES: readonly string[] = [
  RELATIONS,
  COLUMNS,
  CONSTRAINTS,
  INDEXES,
  TRIGGERS,
  RULES,
  POLICIES,
  STATISTICS,
];
