import type { CreateStmt, Node } from "libpg-query";
import { StatementRewrite } from "../../sql/rewrite.ts";
import { NotComparable, type Creation, type Existing } from "./creation.ts";
import { differencesOf, readFacts, type Facts } from "./facts.ts";
import { INDEXES_SQL } from "./index-facts.ts";
import { redirectForeignKeys } from "./foreign-keys.ts";
import { nameOfRange, oidOf, otherKind, relationInTheWay, relationNamed, renamedRange } from "./names.ts";
import { withoutLater } from "./later.ts";
import { constraintsOfItsOwn, partitionColumns, type ReadWith } from "./partition-facts.ts";
import { COLUMNS_SQL, CONSTRAINTS_SQL, RELATION_SQL } from "./relation-facts.ts";
import type { Scratch } from "./scratch.ts";
import { makeShell } from "./shell.ts";

/**
 * CREATE TABLE: columns in their order, constraints by name, partitioning, storage parameters. Indexes that belong to no constraint, triggers
 * and policies are objects of their own. Of a partition the bound counts, and that its columns and constraints are those of its table.
 */
export function tableCreation(sql: string, statement: CreateStmt, later: readonly Node[]): Creation | null {
  const { relation, partbound, inhRelations = [], tableElts = [] } = statement;
  if (relation === undefined || relation.relpersistence === "t") return null;
  const written = nameOfRange(relation);
  return {
    lookup: (session) => relationInTheWay(session, written),
    async differences(scratch, existing) {
      const other = otherKind(existing, "rp", "table");
      if (other.length > 0) return other;
      if (inhRelations.length > 0 && partbound === undefined)
        throw new NotComparable("it inherits from another table");
      if (partbound !== undefined && tableElts.length > 0)
        throw new NotComparable("it is a partition with columns or constraints of its own");
      const rewrite = new StatementRewrite(sql, { CreateStmt: statement });
      const made = rewrite.node.CreateStmt;
      rewrite.replaceNameAt(relation.location, scratch.named(written.name));
      made.relation = renamedRange(relation, scratch.schema, written.name);
      await redirectForeignKeys(scratch, rewrite, made.tableElts ?? [], {
        oid: existing.oid,
        name: written.name,
      });
      const parent = partbound === undefined ? null : await redirectParent(scratch, rewrite);
      const own = await withoutLater(scratch.session, later, existing.oid);
      // The shell is made while the file's search_path holds, as its columns' types were.
      const shell = await makeShell(scratch, existing.oid);
      await scratch.make(rewrite);
      const oid = await oidOf(scratch.session, scratch.schema, written.name);
      await scratch.readQualified();
      const whole = partbound === undefined;
      const live = await tableFacts(scratch, existing.oid, shell.oid, whole, null);
      const file = await tableFacts(scratch, oid, oid, whole, existing.schema);
      if (parent === null) {
        const indexes = await likeIndexes(
          scratch,
          tableElts,
          [existing.oid, shell.oid],
          [oid, oid],
          existing,
        );
        return [...differencesOf(own(live), own(file)), ...indexes];
      }
      const partition = { oid: existing.oid, columnsOf: shell.oid };
      const constraints = await constraintsOfItsOwn(scratch, partition);
      return differencesOf(
        own(new Map([...live, ...(await partitionColumns(scratch, partition)), ...constraints])),
        own(new Map([...file, ...(await partitionColumns(scratch, parent))])),
      );
    },
  };
}

/** The indexes that LIKE … INCLUDING INDEXES makes and the live table lacks. */
async function likeIndexes(
  scratch: Scratch,
  elements: readonly Node[],
  live: readonly string[],
  made: readonly string[],
  { schema }: Existing,
): Promise<string[]> {
  if (!elements.some((element) => "TableLikeClause" in element)) return [];
  const wanted = await readFacts(scratch, INDEXES_SQL, made, schema);
  const there = await readFacts(scratch, INDEXES_SQL, live, null);
  return differencesOf(new Map([...there].filter(([subject]) => wanted.has(subject))), wanted);
}

/** @returns the live table that a partition takes its columns over from; null: the server will say that it is not there. */
async function redirectParent(
  scratch: Scratch,
  rewrite: StatementRewrite<{ CreateStmt: CreateStmt }>,
): Promise<ReadWith | null> {
  const made = rewrite.node.CreateStmt;
  const [parent] = made.inhRelations ?? [];
  if (parent === undefined || !("RangeVar" in parent)) return null;
  const live = await relationNamed(scratch.session, nameOfRange(parent.RangeVar));
  if (live === null) return null;
  const shell = await makeShell(scratch, live.oid, { partitioned: true });
  rewrite.replaceNameAt(parent.RangeVar.location, scratch.named(shell.name));
  made.inhRelations = [{ RangeVar: renamedRange(parent.RangeVar, scratch.schema, shell.name) }];
  return { oid: live.oid, columnsOf: shell.oid };
}

/** @param columnsOf the relation whose columns the expressions of `oid` are read with. */
async function tableFacts(
  scratch: Scratch,
  oid: string,
  columnsOf: string,
  whole: boolean,
  liveSchema: string | null,
): Promise<Facts> {
  const facts = new Map<string, ReadonlyMap<string, string | null>>();
  for (const sql of whole ? [RELATION_SQL, COLUMNS_SQL, CONSTRAINTS_SQL] : [RELATION_SQL]) {
    for (const [subject, properties] of await readFacts(scratch, sql, [oid, columnsOf], liveSchema)) {
      facts.set(subject, properties);
    }
  }
  return facts;
}
