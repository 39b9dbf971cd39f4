import { acl, own, user, USER_SCHEMA } from "./parts.ts";

const SCHEMAS = `
  SELECT n.nspname AS schema,
         format('schema %I owner=%s grants=%s', n.nspname, ${user("n.nspowner")}, ${acl("n", "n.nspacl", "n.nspowner")}) AS line
  FROM pg_namespace AS n
  WHERE ${USER_SCHEMA} AND ${own("pg_namespace", "n.oid")}`;

const EXTENSIONS = `
  SELECT NULL AS schema, format('extension %I version=%s schema=%I', x.extname, x.extversion, n.nspname) AS line
  FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace`;

const SEQUENCES = `
  SELECT n.nspname AS schema,
         format('sequence %s owner=%s persistence=%s type=%s start=%s increment=%s min=%s max=%s cache=%s cycle=%s '
                'owned_by=%s grants=%s',
           c.oid::regclass, ${user("c.relowner")}, c.relpersistence, s.seqtypid::regtype, s.seqstart, s.seqincrement,
           s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
           (SELECT format('%s.%I', d.refobjid::regclass, a.attname)
            FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0),
           ${acl("s", "c.relacl", "c.relowner")}) AS line
  FROM pg_sequence AS s
  JOIN pg_class AS c ON c.oid = s.seqrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE ${USER_SCHEMA} AND ${own("pg_class", "c.oid")}`;

const FUNCTIONS = `
  SELECT n.nspname AS schema,
         format('function %s kind=%s owner=%s grants=%s %s', p.oid::regprocedure, p.prokind, ${user("p.proowner")},
           ${acl("f", "p.proacl", "p.proowner")},
           CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid)
                ELSE format('AGGREGATE %s RETURNS %s SFUNC %s STYPE %s FINALFUNC %s INITCOND %s KIND %s PARALLEL %s',
                  pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), g.aggtransfn, g.aggtranstype::regtype,
                  g.aggfinalfn, g.agginitval, g.aggkind, p.proparallel) END) AS line
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  LEFT JOIN pg_aggregate AS g ON g.aggfnoid = p.oid
  WHERE ${USER_SCHEMA} AND ${own("pg_proc", "p.oid")}`;

/** Enums, domains, composite, range and base types; those of tables, arrays and multiranges come with what they belong to. */
const TYPES = `
  SELECT n.nspname AS schema,
         format('type %s kind=%s owner=%s base=%s collation=%s not_null=%s default=%s labels=%s subtype=%s grants=%s',
           t.oid::regtype, t.typtype, ${user("t.typowner")},
           CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           nullif(t.typcollation, 0)::regcollation, t.typnotnull, t.typdefault,
           (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
            FROM pg_enum AS e WHERE e.enumtypid = t.oid),
           (SELECT format('%s %s %s', r.rngsubtype::regtype, r.rngcanonical, r.rngsubdiff)
            FROM pg_range AS r WHERE r.rngtypid = t.oid),
           ${acl("T", "t.typacl", "t.typowner")}) AS line
  FROM pg_type AS t
  JOIN pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_class AS c ON c.oid = t.typrelid
  WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c' OR (t.typtype = 'b' AND t.typelem = 0))
    AND ${USER_SCHEMA} AND ${own("pg_type", "t.oid")}`;

const EVENT_TRIGGERS = `
  SELECT NULL AS schema,
         format('event trigger %I event=%s function=%s enabled=%s tags=%s', t.evtname, t.evtevent,
           t.evtfoid::regprocedure, t.evtenabled, array_to_string(t.evttags, ',')) AS line
  FROM pg_event_trigger AS t
  WHERE ${own("pg_event_trigger", "t.oid")}`;

/** The view, since the table may be read by superusers alone. */
const USER_MAPPINGS = `
  SELECT NULL AS schema, format('user mapping for %s on %I', m.usename, m.srvname) AS line
  FROM pg_user_mappings AS m`;

const SETTINGS = `
  SELECT NULL AS schema,
         format('settings role=%s %s', CASE WHEN s.setrole <> 0 THEN ${user("s.setrole")} END,
           array_to_string(s.setconfig, ',')) AS line
  FROM pg_db_role_setting AS s
  WHERE s.setdatabase = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())`;

/** The second join finds the schema of what has none of its own: a trigger, rule or policy is in its table's. */
const COMMENTS = `
  SELECT CASE WHEN d.classoid = 'pg_namespace'::regclass THEN o.name ELSE coalesce(o.schema, t.schema) END AS schema,
         format('comment on %s %s is %L', o.type, o.identity, d.description) AS line
  FROM pg_description AS d
  CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS o
  LEFT JOIN LATERAL (
    SELECT n.nspname AS schema
    FROM pg_depend AS p
    JOIN pg_class AS c ON c.oid = p.refobjid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE p.classid = d.classoid AND p.objid = d.objoid AND p.refclassid = 'pg_class'::regclass AND p.deptype = 'a'
    LIMIT 1
  ) AS t ON true
  WHERE (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND o.identity = 'public'))
    AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
  UNION ALL
  SELECT NULL, format('comment on this database is %L', d.description)
  FROM pg_shdescription AS d
  WHERE d.classoid = 'pg_database'::regclass
    AND d.objoid = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())`;

/** Kinds without a query of their own are told by name, so that one too many or too few is seen. */
const OTHERS = [
  "pg_am",
  "pg_cast",
  "pg_collation",
  "pg_conversion",
  "pg_default_acl",
  "pg_foreign_data_wrapper",
  "pg_foreign_server",
  "pg_language",
  "pg_opclass",
  "pg_operator",
  "pg_opfamily",
  "pg_publication",
  "pg_publication_rel",
  "pg_transform",
  "pg_ts_config",
  "pg_ts_dict",
  "pg_ts_parser",
  "pg_ts_template",
].map(
  (catalog) => `
  SELECT o.schema, format('%s %s', o.type, o.identity) AS line
  FROM ${catalog} AS c CROSS JOIN LATERAL pg_identify_object('${catalog}'::regclass, c.oid, 0) AS o
  WHERE c.oid >= 16384 AND ${own(catalog, "c.oid")}`,
);

/** Everything that is not part of a table or view. */
export const OBJECT_QUERIES: readonly string[] = [
  SCHEMAS,
  EXTENSIONS,
  SEQUENCES,
  FUNCTIONS,
  TYPES,
  EVENT_TRIGGERS,
  USER_MAPPINGS,
  SETTINGS,
  COMMENTS,
  OTHERS.join("\n  UNION ALL"),
];
