import type { CreatePolicyStmt, CreateTrigStmt, Node, RangeVar } from "libpg-query";
import { ident } from "../../sql/quote.ts";
import { StatementRewrite } from "../../sql/rewrite.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts } from "./facts.ts";
import { nameOfRange, relationNamed, renamedRange } from "./names.ts";
import { makeShell } from "./shell.ts";

/**
 * A condition speaks of two rows, which nothing deparses without opening the table, so that its tree counts: without the places
 * where its parts stood, and with the table's row type, which the copy has another of, by name.
 */
const CONDITION = `pg_catalog.md5(pg_catalog.regexp_replace(
  pg_catalog.regexp_replace(t.tgqual::pg_catalog.text, ':location -?[0-9]+', '', 'g'), '(type(id)?) ' || c.reltype || '(?![0-9])', '\\1 row', 'g'))`;

/** The bits of \`tgtype\` are those of the server's pg_trigger.h. */
const TRIGGER_SQL = `SELECT 'trigger' AS subject, v.property, v.value FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace,
LATERAL (VALUES
  (1, 'time', CASE WHEN t.tgtype & 2 = 2 THEN 'BEFORE' WHEN t.tgtype & 64 = 64 THEN 'INSTEAD OF' ELSE 'AFTER' END),
  (2, 'events', pg_catalog.concat_ws(' OR ', CASE WHEN t.tgtype & 4 = 4 THEN 'INSERT' END, CASE WHEN t.tgtype & 8 = 8 THEN 'DELETE' END,
    CASE WHEN t.tgtype & 16 = 16 THEN 'UPDATE' END, CASE WHEN t.tgtype & 32 = 32 THEN 'TRUNCATE' END)),
  (3, 'columns', 'OF ' || (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::pg_catalog.int2[]))),
  (4, 'level', CASE WHEN t.tgtype & 1 = 1 THEN 'FOR EACH ROW' ELSE 'FOR EACH STATEMENT' END),
  (5, 'condition', 'WHEN condition ' || ${CONDITION}),
  (6, 'old table', 'OLD TABLE ' || t.tgoldtable),
  (7, 'new table', 'NEW TABLE ' || t.tgnewtable),
  (8, 'constraint', CASE WHEN t.tgconstraint <> 0 THEN 'CONSTRAINT' END),
  (8, 'other table', (SELECT 'FROM ' || pg_catalog.quote_ident(rn.nspname) || '.' || pg_catalog.quote_ident(r.relname)
    FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = t.tgconstrrelid)),
  (9, 'deferrable', CASE WHEN t.tgdeferrable THEN 'DEFERRABLE' || CASE WHEN t.tginitdeferred THEN ' INITIALLY DEFERRED' ELSE '' END END),
  (10, 'function', 'EXECUTE FUNCTION ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)),
  (11, 'arguments', CASE WHEN t.tgnargs > 0 THEN '(' || pg_catalog.encode(t.tgargs, 'escape') || ')' END),
  (12, 'state', CASE t.tgenabled WHEN 'O' THEN NULL WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED REPLICA' ELSE 'ENABLED ALWAYS' END)
) v (ord, property, value) WHERE t.oid = $1::pg_catalog.oid AND $2::pg_catalog.oid IS NOT NULL ORDER BY v.ord`;

const POLICY_SQL = `SELECT 'policy' AS subject, v.property, v.value FROM pg_catalog.pg_policy p, LATERAL (VALUES
  (1, 'kind', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END),
  (2, 'command', 'FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END),
  (3, 'roles', 'TO ' || (SELECT pg_catalog.string_agg(coalesce(r.rolname, 'public'), ', ' ORDER BY r.rolname)
    FROM pg_catalog.unnest(p.polroles) o LEFT JOIN pg_catalog.pg_roles r ON r.oid = o)),
  (4, 'USING', 'USING (' || pg_catalog.pg_get_expr(p.polqual, $2::pg_catalog.oid) || ')'),
  (5, 'WITH CHECK', 'WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, $2::pg_catalog.oid) || ')')
) v (ord, property, value) WHERE p.oid = $1::pg_catalog.oid ORDER BY v.ord`;

interface OnTable<T extends Node> {
  readonly what: "trigger" | "policy";
  readonly name: string;
  readonly table: RangeVar;
  readonly find: string;
  readonly facts: string;
  readonly rename: (node: T, table: RangeVar) => void;
}

/** CREATE TRIGGER; with OR REPLACE nothing is in its way. */
export function triggerCreation(sql: string, statement: CreateTrigStmt): Creation | null {
  const { relation, trigname, replace } = statement;
  if (relation === undefined || trigname === undefined || replace === true) return null;
  return onTable(
    sql,
    { CreateTrigStmt: statement },
    {
      what: "trigger",
      name: trigname,
      table: relation,
      find: "SELECT oid FROM pg_catalog.pg_trigger WHERE tgrelid = $1::pg_catalog.oid AND tgname = $2::pg_catalog.name",
      facts: TRIGGER_SQL,
      rename: (node, table) => {
        node.CreateTrigStmt.relation = table;
      },
    },
  );
}

export function policyCreation(sql: string, statement: CreatePolicyStmt): Creation | null {
  const { table: relation, policy_name: name } = statement;
  if (relation === undefined || name === undefined) return null;
  return onTable(
    sql,
    { CreatePolicyStmt: statement },
    {
      what: "policy",
      name,
      table: relation,
      find: "SELECT oid FROM pg_catalog.pg_policy WHERE polrelid = $1::pg_catalog.oid AND polname = $2::pg_catalog.name",
      facts: POLICY_SQL,
      rename: (node, table) => {
        node.CreatePolicyStmt.table = table;
      },
    },
  );
}

/** What has a name of its table's own; made on an empty copy of the table. */
function onTable<T extends Node>(sql: string, node: T, on: OnTable<T>): Creation {
  return {
    async lookup(session) {
      const table = await relationNamed(session, nameOfRange(on.table));
      if (table === null) return null;
      const [row] = await session.rows(on.find, [table.oid, on.name]);
      if (row === undefined) return null;
      return {
        ...table,
        kind: table.oid,
        oid: row.oid ?? "",
        name: `${on.what} ${ident(on.name)} of ${table.name}`,
      };
    },
    async differences(scratch, existing) {
      const shell = await makeShell(scratch, existing.kind ?? "0", { name: on.table.relname ?? "" });
      const rewrite = new StatementRewrite(sql, node);
      rewrite.replaceNameAt(on.table.location, scratch.named(shell.name));
      on.rename(rewrite.node, renamedRange(on.table, scratch.schema, shell.name));
      await scratch.make(rewrite);
      const [made] = await scratch.session.rows(on.find, [shell.oid, on.name]);
      await scratch.readQualified();
      return differencesOf(
        await readFacts(scratch, on.facts, [existing.oid, shell.oid], null),
        await readFacts(scratch, on.facts, [made?.oid ?? "0", shell.oid], existing.schema),
      );
    },
  };
}
