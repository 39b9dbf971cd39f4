import type { CreateSeqStmt, Node } from "libpg-query";
import type { Session } from "../../postgres/session.ts";
import { ident } from "../../sql/quote.ts";
import { StatementRewrite } from "../../sql/rewrite.ts";
import type { Creation } from "./creation.ts";
import { differencesOf, readFacts, type Facts } from "./facts.ts";
import { optionNames, withoutParameters, type Loosen } from "./loosened.ts";
import {
  listOf,
  nameOfList,
  nameOfRange,
  oidOf,
  otherKind,
  relationInTheWay,
  relationNamed,
  renamedRange,
} from "./names.ts";
import { SEQUENCE_TEXT } from "./relation-facts.ts";
import type { Scratch } from "./scratch.ts";
import { makeShell } from "./shell.ts";

const SEQUENCE_SQL = `SELECT 'sequence' AS subject, v.property, v.value FROM (VALUES
  ('parameters', ${SEQUENCE_TEXT("$1::pg_catalog.oid")}),
  ('owner', (SELECT 'OWNED BY ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.' || pg_catalog.quote_ident(a.attname)
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = $1::pg_catalog.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i'))),
  ('UNLOGGED', (SELECT CASE relpersistence WHEN 'u' THEN 'UNLOGGED' END FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.oid))
) v (property, value) WHERE v.property <> ALL ($2::pg_catalog.text[])`;

/** CREATE SEQUENCE: its parameters and what owns it; how far it has counted is not compared. */
export function sequenceCreation(
  sql: string,
  statement: CreateSeqStmt,
  later: readonly Node[],
): Creation | null {
  const { sequence } = statement;
  if (sequence === undefined || sequence.relpersistence === "t") return null;
  const written = nameOfRange(sequence);
  return {
    lookup: (session) => relationInTheWay(session, written),
    async differences(scratch, existing) {
      const other = otherKind(existing, "S", "sequence");
      if (other.length > 0) return other;
      const rewrite = new StatementRewrite(sql, { CreateSeqStmt: statement });
      rewrite.replaceNameAt(sequence.location, scratch.named(written.name));
      rewrite.node.CreateSeqStmt.sequence = renamedRange(sequence, scratch.schema, written.name);
      await redirectOwner(scratch, rewrite);
      await scratch.make(rewrite);
      const oid = await oidOf(scratch.session, scratch.schema, written.name);
      // Names of the file are found by the search_path of the file.
      const { options, loosen } = await changedLater(scratch.session, later, existing.oid);
      await scratch.readQualified();
      const without = options.includes("owned_by") ? "{owner}" : "{}";
      const own = (facts: Facts): Facts =>
        new Map([...facts].map(([subject, one]) => [subject, loosened(one, loosen)]));
      return differencesOf(
        own(await readFacts(scratch, SEQUENCE_SQL, [existing.oid, without], null)),
        own(await readFacts(scratch, SEQUENCE_SQL, [oid, without], existing.schema)),
      );
    },
  };
}

function loosened(
  properties: ReadonlyMap<string, string | null>,
  loosen: Loosen,
): ReadonlyMap<string, string | null> {
  return new Map([...properties].map(([name, text]) => [name, name === "parameters" ? loosen(text) : text]));
}

/** Options that ALTER SEQUENCE sets later in the file: not for the statement that makes it to have. */
async function changedLater(
  session: Session,
  later: readonly Node[],
  oid: string,
): Promise<{ readonly options: readonly string[]; readonly loosen: Loosen }> {
  const options: string[] = [];
  for (const node of later) {
    if (!("AlterSeqStmt" in node) || node.AlterSeqStmt.sequence === undefined) continue;
    if ((await relationNamed(session, nameOfRange(node.AlterSeqStmt.sequence)))?.oid !== oid) continue;
    options.push(...optionNames(node.AlterSeqStmt.options));
  }
  return { options, loosen: withoutParameters(options) };
}

/** A sequence and the table that owns it must lie in one schema, so that its owner is a copy in the scratch. */
async function redirectOwner(
  scratch: Scratch,
  rewrite: StatementRewrite<{ CreateSeqStmt: CreateSeqStmt }>,
): Promise<void> {
  for (const option of rewrite.node.CreateSeqStmt.options ?? []) {
    if (!("DefElem" in option) || option.DefElem.defname !== "owned_by") continue;
    const { arg } = option.DefElem;
    const items = arg !== undefined && "List" in arg ? (arg.List.items ?? []) : [];
    const column = items.at(-1);
    // OWNED BY NONE.
    if (column === undefined || items.length < 2) continue;
    const table = await relationNamed(scratch.session, nameOfList(items.slice(0, -1)));
    if (table === null) continue;
    const { name } = await makeShell(scratch, table.oid);
    const owner = nameOfList([column]).name;
    option.DefElem.arg = { List: { items: [...listOf(scratch.schema, name), column] } };
    rewrite.replaceNameBehind(["owned", "by"], `${scratch.named(name)}.${ident(owner)}`);
  }
}
