import type { CompositeTypeStmt, CreateDomainStmt, CreateEnumStmt, CreateRangeStmt, Node } from "libpg-query";
import { qualified } from "../../sql/quote.ts";
import { StatementRewrite } from "../../sql/rewrite.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts } from "./facts.ts";
import { listOf, nameOfList, nameOfRange, renamedRange, type WrittenName } from "./names.ts";
import { otherType, typeInTheWay, typeOid } from "./type-names.ts";

/** Labels in their order, one a line, so that a difference shows as one of a text. */
const ENUM_SQL = `SELECT 'labels' AS subject, 'labels' AS property,
  pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), E'\\n' ORDER BY e.enumsortorder) || E'\\n' AS value
FROM pg_catalog.pg_enum e WHERE e.enumtypid = $1::pg_catalog.oid`;

const COMPOSITE_SQL = `SELECT 'column ' || pg_catalog.quote_ident(a.attname) AS subject, v.property, v.value
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid JOIN pg_catalog.pg_type ct ON ct.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace,
LATERAL (VALUES ('type', pg_catalog.format_type(a.atttypid, a.atttypmod)), ('collation', CASE WHEN a.attcollation <> ct.typcollation
  THEN 'COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END)) v (property, value)
WHERE t.oid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum, v.property DESC`;

/** regprocedure and its like write names as the search_path has it, which is pg_catalog alone here. */
const RANGE_SQL = `SELECT 'range' AS subject, v.property, v.value FROM pg_catalog.pg_range r
JOIN pg_catalog.pg_opclass oc ON oc.oid = r.rngsubopc, LATERAL (VALUES
  ('subtype', pg_catalog.format_type(r.rngsubtype, NULL)),
  ('collation', CASE WHEN r.rngcollation <> 0 THEN (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(collname)
    FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace WHERE co.oid = r.rngcollation) END),
  ('operator class', oc.opcname::pg_catalog.text),
  ('canonical function', CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::pg_catalog.text END),
  ('difference function', CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::pg_catalog.text END),
  ('multirange type', pg_catalog.format_type(r.rngmultitypid, NULL))
) v (property, value) WHERE r.rngtypid = $1::pg_catalog.oid`;

const DOMAIN_SQL = `SELECT 'domain' AS subject, v.property, v.value FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype, LATERAL (VALUES
  ('type', pg_catalog.format_type(t.typbasetype, t.typtypmod)),
  ('collation', CASE WHEN t.typcollation <> b.typcollation THEN (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(collname)
    FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace WHERE co.oid = t.typcollation) END),
  ('NOT NULL', CASE WHEN t.typnotnull THEN 'NOT NULL' END),
  ('default', 'DEFAULT ' || pg_catalog.pg_get_expr(t.typdefaultbin, 0))
) v (property, value) WHERE t.oid = $1::pg_catalog.oid
UNION ALL SELECT 'constraint ' || pg_catalog.quote_ident(c.conname), 'definition', 'CHECK (' || pg_catalog.pg_get_expr(c.conbin, 0) || ')'
  || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END
FROM pg_catalog.pg_constraint c WHERE c.contypid = $1::pg_catalog.oid AND c.contype = 'c'`;

interface TypeKind<T extends Node> {
  readonly written: WrittenName;
  /** `pg_type.typtype`. */
  readonly kind: string;
  readonly facts: string;
  /** Renames it in text and tree. */
  readonly rename: (rewrite: StatementRewrite<T>, schema: string, name: string) => void;
}

function creationOfType<T extends Node>(sql: string, node: T, type: TypeKind<T>): Creation {
  const { written, kind, facts, rename } = type;
  return {
    lookup: (session) => typeInTheWay(session, written),
    async differences(scratch, existing) {
      const other = otherType(existing, kind);
      if (other.length > 0) return other;
      const rewrite = new StatementRewrite(sql, node);
      rename(rewrite, scratch.schema, written.name);
      await scratch.make(rewrite);
      const oid = await typeOid(scratch.session, scratch.schema, written.name);
      await scratch.readQualified();
      return differencesOf(
        await readFacts(scratch, facts, [existing.oid], null),
        await readFacts(scratch, facts, [oid], existing.schema),
      );
    },
  };
}

export function enumCreation(sql: string, statement: CreateEnumStmt): Creation {
  return creationOfType(
    sql,
    { CreateEnumStmt: statement },
    {
      written: nameOfList(statement.typeName),
      kind: "e",
      facts: ENUM_SQL,
      rename: (rewrite, schema, name) => {
        rewrite.replaceNameBehind(["create", "type"], qualified(schema, name));
        rewrite.node.CreateEnumStmt.typeName = listOf(schema, name);
      },
    },
  );
}

export function compositeCreation(sql: string, statement: CompositeTypeStmt): Creation {
  const { typevar = {} } = statement;
  return creationOfType(
    sql,
    { CompositeTypeStmt: statement },
    {
      written: nameOfRange(typevar),
      kind: "c",
      facts: COMPOSITE_SQL,
      rename: (rewrite, schema, name) => {
        rewrite.replaceNameAt(typevar.location, qualified(schema, name));
        rewrite.node.CompositeTypeStmt.typevar = renamedRange(typevar, schema, name);
      },
    },
  );
}

export function rangeCreation(sql: string, statement: CreateRangeStmt): Creation {
  return creationOfType(
    sql,
    { CreateRangeStmt: statement },
    {
      written: nameOfList(statement.typeName),
      kind: "r",
      facts: RANGE_SQL,
      rename: (rewrite, schema, name) => {
        rewrite.replaceNameBehind(["create", "type"], qualified(schema, name));
        rewrite.node.CreateRangeStmt.typeName = listOf(schema, name);
      },
    },
  );
}

export function domainCreation(sql: string, statement: CreateDomainStmt): Creation {
  return creationOfType(
    sql,
    { CreateDomainStmt: statement },
    {
      written: nameOfList(statement.domainname),
      kind: "d",
      facts: DOMAIN_SQL,
      rename: (rewrite, schema, name) => {
        rewrite.replaceNameBehind(["create", "domain"], qualified(schema, name));
        rewrite.node.CreateDomainStmt.domainname = listOf(schema, name);
      },
    },
  );
}
