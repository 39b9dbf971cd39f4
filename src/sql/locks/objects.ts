import type {
  AlterDomainStmt,
  AlterObjectSchemaStmt,
  CommentStmt,
  GrantStmt,
  Node,
  ObjectType,
  RenameStmt,
} from "libpg-query";
import { namedOption } from "../options.ts";
import { type LockCollector, named } from "./collector.ts";
import { partsOf, relationOf } from "./names.ts";

const RELATION_KINDS: ReadonlySet<ObjectType | undefined> = new Set([
  "OBJECT_TABLE",
  "OBJECT_INDEX",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  "OBJECT_FOREIGN_TABLE",
] as const);

/** What belongs to a relation and is named behind it. */
const PARTS_OF_RELATIONS: ReadonlySet<ObjectType | undefined> = new Set([
  "OBJECT_COLUMN",
  "OBJECT_TABCONSTRAINT",
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
  "OBJECT_POLICY",
] as const);

function words(type: ObjectType | undefined): string {
  return (type ?? "OBJECT_TABLE").replace("OBJECT_", "").replaceAll("_", " ");
}

/** COMMENT and SECURITY LABEL. */
export function commentLocks(
  { object, objtype }: Pick<CommentStmt, "object" | "objtype">,
  locks: LockCollector,
): void {
  const parts = partsOf(object);
  const form = `COMMENT ON ${words(objtype)}`;
  if (RELATION_KINDS.has(objtype)) locks.subject(form, relationOf(parts), ["itself"]);
  else if (PARTS_OF_RELATIONS.has(objtype)) locks.subject(form, relationOf(parts.slice(0, -1)), ["itself"]);
}

export function renameLocks({ relation, renameType, subname }: RenameStmt, locks: LockCollector): void {
  if (renameType === "OBJECT_ATTRIBUTE") locks.mayLockMore("tables of the type");
  const recurses = relation?.inh === true;
  locks.subject(
    `RENAME ${words(renameType)}`,
    named(relation),
    recurses ? ["itself", "children", "partitions"] : ["itself"],
    renameType === "OBJECT_TABCONSTRAINT" ? (subname ?? null) : null,
  );
}

export function setSchemaLocks({ relation }: AlterObjectSchemaStmt, locks: LockCollector): void {
  locks.subject("SET SCHEMA", named(relation), ["itself", "sequences"]);
}

export function grantLocks({ objects = [], objtype, targtype }: GrantStmt, locks: LockCollector): void {
  if (objtype !== "OBJECT_TABLE" && objtype !== "OBJECT_SEQUENCE") return;
  if (targtype === "ACL_TARGET_ALL_IN_SCHEMA") locks.mayLockMore("every table of the schema");
  for (const one of objects) {
    if ("RangeVar" in one) locks.subject(`GRANT ON ${words(objtype)}`, named(one.RangeVar), ["itself"]);
  }
}

/** A new constraint of a domain is checked in every table with a column of it; so is one that is validated. */
export function alterDomainLocks({ def, subtype, typeName }: AlterDomainStmt, locks: LockCollector): void {
  const notValid = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
  if (notValid || (subtype !== "C" && subtype !== "V" && subtype !== "O")) return;
  const parts = (typeName ?? []).flatMap(partsOf);
  locks.subject("ALTER DOMAIN", relationOf(parts), ["of type"]);
  locks.touchesRows();
}

/** CREATE and ALTER SEQUENCE … OWNED BY name a column. */
export function ownedByLocks(options: readonly Node[] | undefined, locks: LockCollector): void {
  const option = namedOption(options, "owned_by");
  const parts = partsOf(option?.arg);
  if (parts.length > 1) locks.other("SEQUENCE OWNED BY", relationOf(parts.slice(0, -1)), ["itself"]);
}

/** The tables of a publication. */
export function publicationLocks(
  form: string,
  objects: readonly Node[] | undefined,
  locks: LockCollector,
): void {
  for (const one of objects ?? []) {
    if (!("PublicationObjSpec" in one)) continue;
    const { pubtable } = one.PublicationObjSpec;
    const relation = pubtable?.relation;
    const recurses = relation?.inh === true;
    locks.subject(form, named(relation), recurses ? ["itself", "children", "partitions"] : ["itself"]);
  }
}
