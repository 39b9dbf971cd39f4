import { readFacts, type Facts } from "./facts.ts";
import { COLUMNS_SQL, CONSTRAINTS_SQL } from "./relation-facts.ts";
import type { Scratch } from "./scratch.ts";

/** What a partition takes over of the columns of its table when it is made (manual, CREATE TABLE, PARTITION OF; measured on 14–18). */
const TAKEN_OVER: ReadonlySet<string> = new Set([
  "type",
  "collation",
  "NOT NULL",
  "default",
  "generated value",
  "storage",
  "compression",
]);

/** A relation, and the one whose columns its expressions are read with. */
export interface ReadWith {
  readonly oid: string;
  readonly columnsOf: string;
}

/** The columns of a partition, or of the table that it takes them over from. */
export async function partitionColumns(scratch: Scratch, { oid, columnsOf }: ReadWith): Promise<Facts> {
  const facts = await readFacts(scratch, COLUMNS_SQL, [oid, columnsOf], null);
  return new Map(
    [...facts].map(([subject, properties]) => [
      subject,
      new Map([...properties].filter(([property]) => TAKEN_OVER.has(property))),
    ]),
  );
}

/** The constraints that a partition has beside those of its table. */
export async function constraintsOfItsOwn(scratch: Scratch, { oid, columnsOf }: ReadWith): Promise<Facts> {
  const rows = await scratch.session.rows(
    `SELECT 'constraint ' || pg_catalog.quote_ident(conname) AS subject FROM pg_catalog.pg_constraint
     WHERE conrelid = $1::pg_catalog.oid AND coninhcount = 0 AND conparentid = 0`,
    [oid],
  );
  const own = new Set(rows.map(({ subject }) => subject));
  const facts = await readFacts(scratch, CONSTRAINTS_SQL, [oid, columnsOf], null);
  return new Map([...facts].filter(([subject]) => own.has(subject)));
}
