/** Parts of the queries that read facts from the catalog. */

/** A name with its schema, of two columns of the catalog. */
export const NAME = (schema: string, name: string): string =>
  `pg_catalog.quote_ident(${schema}) || '.' || pg_catalog.quote_ident(${name})`;

/** Names of columns by their numbers in a relation. */
export const COLUMNS_OF = (numbers: string, relation: string): string =>
  `(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(ka.attname), ', ' ORDER BY k.n)
    FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY k (att, n)
    JOIN pg_catalog.pg_attribute ka ON ka.attrelid = ${relation} AND ka.attnum = k.att)`;

/** The name of a relation with its schema. */
export const RELATION_NAME = (oid: string): string =>
  `(SELECT ${NAME("rn.nspname", "r.relname")} FROM pg_catalog.pg_class r
    JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = ${oid})`;
