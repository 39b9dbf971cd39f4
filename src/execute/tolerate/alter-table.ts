import type { AlterTableStmt, Node } from "libpg-query";
import type { Session } from "../../postgres/session.ts";
import { ident } from "../../sql/quote.ts";
import { StatementRewrite } from "../../sql/rewrite.ts";
import { additionsOf, type Addition } from "./additions.ts";
import { NotComparable, type Creation, type Existing } from "./creation.ts";
import { differencesOf, readFacts, type Facts } from "./facts.ts";
import { redirectForeignKeys } from "./foreign-keys.ts";
import { INDEX_TEXT } from "./index-facts.ts";
import { withoutLater } from "./later.ts";
import { nameOfRange, oidOf, relationNamed, renamedRange } from "./names.ts";
import { COLUMNS_SQL, CONSTRAINTS_SQL, INVALID_INDEX } from "./relation-facts.ts";
import type { Scratch } from "./scratch.ts";
import { makeShell, type Shell } from "./shell.ts";

/**
 * ALTER TABLE … ADD COLUMN and ADD CONSTRAINT: made on an empty copy of the table. Only what the statement makes is
 * compared, not what else the table has.
 */
export function additionCreation(
  sql: string,
  statement: AlterTableStmt,
  later: readonly Node[],
): Creation | null {
  const { relation, cmds = [], objtype } = statement;
  const additions = additionsOf(statement);
  if (relation === undefined || additions.length === 0) return null;
  return {
    async lookup(session) {
      const table = await relationNamed(session, nameOfRange(relation));
      if (table === null) return null;
      const present = await presentOf(session, table.oid, additions);
      if (present.length === 0) return null;
      const names = present.map(({ kind, name }) =>
        name === null ? "primary key" : `${kind} ${ident(name)}`,
      );
      const rest = present.every(({ skipsItself }) => skipsItself) ? "run" : "split";
      return {
        ...table,
        name: `${names.join(", ")} of ${table.name}`,
        ...(present.length === cmds.length ? {} : { rest }),
      };
    },
    async differences(scratch, existing) {
      if (objtype !== "OBJECT_TABLE" || !"rp".includes(existing.kind ?? ""))
        throw new NotComparable("it is no table");
      if (additions.length < cmds.length)
        throw new NotComparable(
          "the statement does more than to add columns and named constraints: write them apart",
        );
      const present = await presentOf(scratch.session, existing.oid, additions);
      const columns = new Set(
        present.flatMap(({ kind, name }) => (kind === "column" && name !== null ? [name] : [])),
      );
      const rewrite = new StatementRewrite(sql, { AlterTableStmt: statement });
      const made = rewrite.node.AlterTableStmt;
      const own = await withoutLater(scratch.session, later, existing.oid);
      const live = await makeShell(scratch, existing.oid);
      const shell = await makeShell(scratch, existing.oid, {
        name: relation.relname ?? "",
        without: columns,
      });
      rewrite.replaceNameAt(relation.location, scratch.named(shell.name));
      made.relation = renamedRange(relation, scratch.schema, shell.name);
      const definitions = (made.cmds ?? []).flatMap((cmd) =>
        "AlterTableCmd" in cmd && cmd.AlterTableCmd.def !== undefined ? [cmd.AlterTableCmd.def] : [],
      );
      for (const definition of definitions) await makeIndexFor(scratch, existing.oid, shell, definition);
      await redirectForeignKeys(scratch, rewrite, definitions, null);
      await scratch.make(rewrite);
      await scratch.readQualified();
      // On a partitioned table ONLY it is valid once each partition has an index that is attached to it.
      const counting =
        relation.inh === true ? own : (facts: Facts): Facts => withoutText(own(facts), INVALID_INDEX);
      const lines = await compared(scratch, existing, live.oid, shell.name, present, counting);
      // The server would choose another name.
      return lines.length > 0 && present.every(({ chosen }) => chosen) ? null : lines;
    },
  };
}

/**
 * For a constraint that is made of an index: makes one as that of the live constraint, since the index has become the constraint's.
 * Which columns it has is for the statement to say that makes the index.
 */
async function makeIndexFor(scratch: Scratch, table: string, shell: Shell, definition: Node): Promise<void> {
  if (!("Constraint" in definition) || definition.Constraint.indexname === undefined) return;
  const { conname, indexname } = definition.Constraint;
  const [row] = await scratch.session.rows(
    `SELECT ${INDEX_TEXT} AS text FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid
     JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
     WHERE c.conrelid = $1::pg_catalog.oid AND c.conname = $3::pg_catalog.name AND $2::pg_catalog.oid IS NOT NULL`,
    [table, shell.oid, conname ?? indexname],
  );
  if (row?.text === undefined || row.text === null)
    throw new NotComparable("the constraint of this name is made of no index");
  await scratch.run(`CREATE UNIQUE INDEX ${ident(indexname)} ON ${scratch.named(shell.name)} ${row.text}`);
}

async function compared(
  scratch: Scratch,
  existing: Existing,
  columnsOf: string,
  shell: string,
  present: readonly Addition[],
  own: (facts: Facts) => Facts,
): Promise<string[]> {
  const madeOid = await oidOf(scratch.session, scratch.schema, shell);
  const named = new Set(
    present.flatMap(({ kind, name }) => (name === null ? [] : [`${kind} ${ident(name)}`])),
  );
  const read = async (sql: string, oid: string, columns: string, schema: string | null): Promise<Facts> =>
    readFacts(scratch, sql, [oid, columns], schema);
  const { oid: liveOid, schema, rest } = existing;
  const columns = [
    await read(COLUMNS_SQL, liveOid, columnsOf, null),
    await read(COLUMNS_SQL, madeOid, madeOid, schema),
  ] as const;
  const constraints = [
    await read(CONSTRAINTS_SQL, liveOid, columnsOf, null),
    await read(CONSTRAINTS_SQL, madeOid, madeOid, schema),
  ] as const;
  // Where only a part is there, the constraints that the missing columns bring are none of it.
  const wanted = new Set(
    [...constraints[1].keys()].filter((subject) => rest === undefined || named.has(subject)),
  );
  return [
    ...differencesOf(own(only(columns[0], named)), own(only(columns[1], named))),
    ...differencesOf(own(only(constraints[0], wanted)), own(only(constraints[1], wanted))),
  ];
}

function only(facts: Facts, subjects: ReadonlySet<string>): Facts {
  return new Map([...facts].filter(([subject]) => subjects.has(subject)));
}

function withoutText(facts: Facts, text: string): Facts {
  return new Map(
    [...facts].map(([subject, properties]) => [
      subject,
      new Map([...properties].map(([name, value]) => [name, value?.replace(text, "") ?? null])),
    ]),
  );
}

async function presentOf(
  session: Session,
  table: string,
  additions: readonly Addition[],
): Promise<readonly Addition[]> {
  const rows = await session.rows(
    `SELECT 'column' AS kind, attname AS name FROM pg_catalog.pg_attribute WHERE attrelid = $1::pg_catalog.oid AND NOT attisdropped
     UNION ALL SELECT 'constraint', conname FROM pg_catalog.pg_constraint WHERE conrelid = $1::pg_catalog.oid AND contype <> 'n'
     UNION ALL SELECT 'constraint', NULL FROM pg_catalog.pg_constraint WHERE conrelid = $1::pg_catalog.oid AND contype = 'p'`,
    [table],
  );
  return additions.filter(({ kind, name }) => rows.some((row) => row.kind === kind && row.name === name));
}
