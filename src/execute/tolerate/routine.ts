import type { CreateFunctionStmt, DefineStmt, Node } from "libpg-query";
import type { Session } from "../../postgres/session.ts";
import { ident } from "../../sql/quote.ts";
import { StatementRewrite } from "../../sql/rewrite.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts } from "./facts.ts";
import { listOf, nameOfList, type WrittenName } from "./names.ts";
import type { Scratch } from "./scratch.ts";

/** A body of BEGIN ATOMIC is kept as a query; the server writes it. */
const ROUTINE_SQL = `SELECT 'routine' AS subject, v.property, v.value FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang,
LATERAL (VALUES
  (1, 'kind', CASE p.prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'window function' END),
  (2, 'arguments', '(' || pg_catalog.pg_get_function_arguments(p.oid) || ')'),
  (3, 'result', 'RETURNS ' || pg_catalog.pg_get_function_result(p.oid)),
  (4, 'language', 'LANGUAGE ' || l.lanname),
  (5, 'volatility', CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END),
  (6, 'STRICT', CASE WHEN p.proisstrict THEN 'STRICT' END),
  (7, 'SECURITY DEFINER', CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END),
  (8, 'LEAKPROOF', CASE WHEN p.proleakproof THEN 'LEAKPROOF' END),
  (9, 'parallel safety', 'PARALLEL ' || CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END),
  (10, 'cost', 'COST ' || p.procost),
  (11, 'rows', 'ROWS ' || p.prorows),
  (12, 'support function', CASE WHEN p.prosupport <> 0 THEN 'SUPPORT ' || p.prosupport::pg_catalog.text END),
  (13, 'settings', 'SET ' || pg_catalog.array_to_string(p.proconfig, ', ')),
  (14, 'transforms', 'TRANSFORM ' || p.protrftypes::pg_catalog.text),
  (15, 'library', p.probin),
  (16, 'body', coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) || CASE WHEN p.probin IS NULL THEN E'\\n' ELSE '' END)
) v (ord, property, value) WHERE p.oid = $1::pg_catalog.oid ORDER BY v.ord`;

const AGGREGATE_SQL = `SELECT 'aggregate' AS subject, e.key AS property, e.key || ' ' || e.value AS value
FROM pg_catalog.pg_aggregate a, LATERAL pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(a) - 'aggfnoid') e
WHERE a.aggfnoid = $1::pg_catalog.oid ORDER BY e.key`;

/** CREATE FUNCTION and PROCEDURE; with OR REPLACE nothing is in its way. */
export function functionCreation(sql: string, statement: CreateFunctionStmt): Creation | null {
  if (statement.replace === true) return null;
  const what = statement.is_procedure === true ? "procedure" : "function";
  return routine(
    sql,
    { CreateFunctionStmt: statement },
    what,
    nameOfList(statement.funcname),
    (node, name) => {
      node.CreateFunctionStmt.funcname = name;
    },
  );
}

export function aggregateCreation(sql: string, statement: DefineStmt): Creation | null {
  if (statement.replace === true) return null;
  return routine(
    sql,
    { DefineStmt: statement },
    "aggregate",
    nameOfList(statement.defnames),
    (node, name) => {
      node.DefineStmt.defnames = name;
    },
  );
}

/** Which of those of one name it is that the statement would collide with is known by the types of its arguments. */
function routine<T extends Node>(
  sql: string,
  node: T,
  what: string,
  written: WrittenName,
  rename: (node: T, name: Node[]) => void,
): Creation {
  return {
    async lookup(session) {
      const [row] = await session.rows(
        `SELECT n.nspname AS schema FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = coalesce($1::pg_catalog.name, pg_catalog.current_schema()) AND p.proname = $2::pg_catalog.name LIMIT 1`,
        [written.schema, written.name],
      );
      if (row === undefined) return null;
      const schema = row.schema ?? "";
      return { oid: "", schema, name: `${what} ${ident(schema)}.${ident(written.name)}` };
    },
    async differences(scratch, existing) {
      const rewrite = new StatementRewrite(sql, node);
      rewrite.replaceNameBehind([what], scratch.named(written.name));
      rename(rewrite.node, listOf(scratch.schema, written.name));
      await scratch.make(rewrite);
      const pair = await sameArguments(scratch.session, scratch.schema, existing.schema, written.name);
      if (pair === null) return null;
      await scratch.readQualified();
      const differences: string[] = [];
      for (const facts of [ROUTINE_SQL, AGGREGATE_SQL]) {
        differences.push(...(await compared(scratch, facts, pair, existing.schema)));
      }
      return differences;
    },
  };
}

async function compared(
  scratch: Scratch,
  facts: string,
  { live, made }: { readonly live: string; readonly made: string },
  schema: string | null,
): Promise<string[]> {
  return differencesOf(
    await readFacts(scratch, facts, [live], null),
    await readFacts(scratch, facts, [made], schema),
  );
}

async function sameArguments(
  session: Session,
  scratch: string,
  schema: string | null,
  name: string,
): Promise<{ readonly live: string; readonly made: string } | null> {
  const [row] = await session.rows(
    `SELECT live.oid AS live, made.oid AS made FROM pg_catalog.pg_proc made JOIN pg_catalog.pg_proc live
       ON live.proname = made.proname AND live.proargtypes = made.proargtypes
     WHERE made.pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
       AND live.pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $2) AND made.proname = $3::pg_catalog.name`,
    [scratch, schema, name],
  );
  return row === undefined ? null : { live: row.live ?? "", made: row.made ?? "" };
}
