import type { Constraint, Node } from "libpg-query";
import type { StatementRewrite } from "../../sql/rewrite.ts";
import { nameOfRange, relationNamed, renamedRange } from "./names.ts";
import type { Scratch } from "./scratch.ts";
import { makeShell } from "./shell.ts";

/** The table that a statement of the scratch makes or changes. */
export interface Subject {
  /** Of the live table. */
  readonly oid: string;
  /** What it is called in the scratch. */
  readonly name: string;
}

/**
 * Lets foreign keys refer to empty copies: a foreign key locks the table that it refers to against writes (SHARE ROW
 * EXCLUSIVE, manual 13.3.1). One that refers to its own table refers to that of the scratch.
 */
export async function redirectForeignKeys(
  scratch: Scratch,
  rewrite: StatementRewrite,
  definitions: readonly Node[],
  subject: Subject | null,
): Promise<void> {
  for (const constraint of constraintsOf(definitions)) {
    const { pktable } = constraint;
    if (pktable === undefined) continue;
    const referred = await relationNamed(scratch.session, nameOfRange(pktable));
    // The server will say that it is not there.
    if (referred === null) continue;
    const own = subject !== null && referred.oid === subject.oid;
    const name = own ? subject.name : (await makeShell(scratch, referred.oid, { withKeys: true })).name;
    rewrite.replaceNameAt(pktable.location, scratch.named(name));
    constraint.pktable = renamedRange(pktable, scratch.schema, name);
  }
}

function constraintsOf(definitions: readonly Node[]): Constraint[] {
  return definitions.flatMap((definition) => {
    if ("Constraint" in definition) return [definition.Constraint];
    return "ColumnDef" in definition ? constraintsOf(definition.ColumnDef.constraints ?? []) : [];
  });
}
