/**
 * What the queries of catalogFingerprint share. Each query yields `schema` (null: belongs to none) and `line`, and expects
 * search_path = pg_catalog, so that every name outside pg_catalog is printed with its schema (manual 9.27.3: what the pg_get
 * functions print depends on search_path). No line holds an oid, nor anything that only the way the catalog came about
 * decides: columns count without the dropped ones, privileges are sorted and defaults written out.
 */

/** Privileges; those of the kind's default written out where none were ever granted. */
export const acl = (kind: string, column: string, owner: string) =>
  `(SELECT coalesce(string_agg(g::text, ',' ORDER BY g::text), 'none')
    FROM unnest(coalesce(${column}, acldefault('${kind}', ${owner}))) AS g)`;

export const user = (owner: string) => `pg_get_userbyid(${owner})`;

/** False for what an extension brought along: the line of the extension stands for it. */
export const own = (catalog: string, oid: string) =>
  `NOT EXISTS (
    SELECT FROM pg_depend AS e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

/** False for PostgreSQL's own schemas; `n` is pg_namespace. */
export const USER_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
