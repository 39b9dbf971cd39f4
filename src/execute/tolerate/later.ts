import {
  optionNames,
  withoutCasts,
  withoutEnabled,
  withoutForced,
  withoutOptions,
  withoutParameters,
  type Loosen,
} from "./loosened.ts";
import type { AlterTableStmt, Node } from "libpg-query";
import type { Session } from "../../postgres/session.ts";
import { ident } from "../../sql/quote.ts";
import { additionsOf } from "./additions.ts";
import type { Facts } from "./facts.ts";
import { stringOf } from "../../sql/tree.ts";
import { nameOfList, nameOfRange, relationNamed, type WrittenName } from "./names.ts";

/** Properties of a column that ALTER TABLE … ALTER COLUMN sets. */
const OF_COLUMN: Readonly<Record<string, readonly string[]>> = {
  AT_ColumnDefault: ["default"],
  AT_SetNotNull: ["NOT NULL"],
  AT_DropNotNull: ["NOT NULL"],
  AT_AddIdentity: ["identity", "NOT NULL"],
  AT_DropIdentity: ["identity"],
  AT_SetExpression: ["generated value"],
  AT_DropExpression: ["generated value"],
  AT_AlterColumnType: ["type", "collation", "storage"],
  AT_SetStorage: ["storage"],
  AT_SetCompression: ["compression"],
};

/** Properties of the table as a whole that ALTER TABLE sets. */
const OF_TABLE: Readonly<Record<string, readonly string[]>> = {
  AT_SetLogged: ["UNLOGGED"],
  AT_SetUnLogged: ["UNLOGGED"],
  AT_SetAccessMethod: ["access method"],
  AT_SetTableSpace: ["tablespace"],
  AT_AddInherit: ["parent"],
  AT_DropInherit: ["parent"],
};

/** Parts of properties that ALTER TABLE sets, of the column or the table that it is about. */
function partsSet(
  subtype: string,
  def: Node | undefined,
): readonly (readonly [property: string, loosen: Loosen])[] {
  const names = optionNames(def);
  switch (subtype) {
    case "AT_SetIdentity":
      return [["identity", withoutParameters(names)]];
    case "AT_AlterColumnType":
      return [["default", withoutCasts]];
    case "AT_SetOptions":
    case "AT_ResetOptions":
      return [["options", withoutOptions(names)]];
    case "AT_SetRelOptions":
    case "AT_ResetRelOptions":
      return [
        ["options", withoutOptions(names)],
        ["toast options", withoutOptions(names.map((name) => name.replace(/^toast\./, "")))],
      ];
    case "AT_EnableRowSecurity":
    case "AT_DisableRowSecurity":
      return [["row level security", withoutEnabled]];
    case "AT_ForceRowSecurity":
    case "AT_NoForceRowSecurity":
      return [["row level security", withoutForced]];
    default:
      return [];
  }
}

/** What later statements of a file change about a table: not for the one that makes it to have. */
class Changes {
  readonly columns = new Set<string>();
  readonly constraints = new Set<string>();
  /** `column total` and `table`, with the properties that change. */
  readonly properties = new Map<string, Set<string>>();
  /** By subject and property, what takes out the parts that change. */
  readonly parts = new Map<string, Map<string, Loosen[]>>();
  /** Constraints that are validated later, ready for SQL. */
  readonly validated = new Set<string>();
  primaryKey = false;
  /** Whether it becomes a partition, which takes over the constraints of its table. */
  attached = false;

  change(subject: string, properties: readonly string[] | undefined): void {
    const before = this.properties.get(subject) ?? new Set<string>();
    this.properties.set(subject, new Set([...before, ...(properties ?? [])]));
  }

  changePart(subject: string, property: string, loosen: Loosen): void {
    const properties = this.parts.get(subject) ?? new Map<string, Loosen[]>();
    this.parts.set(subject, properties.set(property, [...(properties.get(property) ?? []), loosen]));
  }

  /** A property's text without what changes of it. */
  loosened(subject: string, property: string, text: string | null): string | null {
    const all = this.parts.get(subject)?.get(property) ?? [];
    const left = all.reduce((before: string | null, loosen) => loosen(before), text);
    return this.validated.has(subject) ? asValid(left) : left;
  }

  read(statement: AlterTableStmt): void {
    for (const { kind, name } of additionsOf(statement)) {
      if (name === null) this.primaryKey = true;
      else if (kind === "column") this.columns.add(name);
      else this.constraints.add(name);
    }
    for (const node of statement.cmds ?? []) {
      if (!("AlterTableCmd" in node)) continue;
      const { subtype = "", name, def } = node.AlterTableCmd;
      if (subtype === "AT_DropColumn" && name !== undefined) this.columns.add(name);
      if (subtype === "AT_ValidateConstraint" && name !== undefined)
        this.validated.add(`constraint ${ident(name)}`);
      if (subtype === "AT_DropConstraint" && name !== undefined) this.constraints.add(name);
      if (name !== undefined) this.change(`column ${ident(name)}`, OF_COLUMN[subtype]);
      this.change("table", OF_TABLE[subtype]);
      const subject = name === undefined ? "table" : `column ${ident(name)}`;
      for (const [property, loosen] of partsSet(subtype, def)) this.changePart(subject, property, loosen);
      if (def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_PRIMARY")
        this.primaryKey = true;
    }
  }
}

/**
 * Finds what later statements of the file do to a table that was there already: they may have been run as well, so that it has
 * what they make. Each of them is compared, or run, in its turn.
 * @returns takes facts of the table and leaves out what is not for the statement that makes the table to have.
 */
export async function withoutLater(
  session: Session,
  later: readonly Node[],
  oid: string,
): Promise<(facts: Facts) => Facts> {
  const changes = new Changes();
  for (const node of later) {
    const owned = ownedBy(node);
    if (owned !== null && (await relationNamed(session, owned.table))?.oid === oid)
      changes.change(`column ${ident(owned.column)}`, ["sequence of its own"]);
    if (!("AlterTableStmt" in node)) continue;
    const { relation, cmds = [] } = node.AlterTableStmt;
    if (relation === undefined) continue;
    const table = await relationNamed(session, nameOfRange(relation));
    if (table?.oid === oid) changes.read(node.AlterTableStmt);
    for (const cmd of cmds) {
      if (!(await attaches(session, cmd, oid))) continue;
      changes.change("table", ["parent", "bound"]);
      changes.attached = true;
    }
  }
  for (const { name, columns } of await constraintsWith(session, oid, changes)) {
    changes.constraints.add(name);
    for (const column of columns) changes.change(`column ${ident(column)}`, ["NOT NULL"]);
  }
  const gone = new Set([
    ...[...changes.columns].map((name) => `column ${ident(name)}`),
    ...[...changes.constraints].map((name) => `constraint ${ident(name)}`),
  ]);
  return (facts) =>
    new Map(
      [...facts]
        .filter(([subject]) => !gone.has(subject))
        .map(([subject, properties]) => {
          const changed = changes.properties.get(subject);
          const kept = [...properties]
            .filter(([property]) => changed?.has(property) !== true)
            .map(([property, value]) => [property, changes.loosened(subject, property, value)] as const);
          return [subject, new Map(kept)] as const;
        }),
    );
}

/** The text of a constraint, whether or not it is valid; see `CONSTRAINTS_SQL`. */
function asValid(text: string | null): string | null {
  return text?.replace(/ NOT VALID(?=$|, its )/, "") ?? null;
}

/** The column that a sequence is to be owned by. */
function ownedBy(node: Node): { readonly table: WrittenName; readonly column: string } | null {
  const options =
    "AlterSeqStmt" in node
      ? node.AlterSeqStmt.options
      : "CreateSeqStmt" in node
        ? node.CreateSeqStmt.options
        : undefined;
  for (const option of options ?? []) {
    if (!("DefElem" in option) || option.DefElem.defname !== "owned_by") continue;
    const { arg } = option.DefElem;
    const items = arg !== undefined && "List" in arg ? (arg.List.items ?? []) : [];
    const column = stringOf(items.at(-1));
    if (column !== undefined && items.length > 1) return { table: nameOfList(items.slice(0, -1)), column };
  }
  return null;
}

async function attaches(session: Session, cmd: Node, oid: string): Promise<boolean> {
  if (!("AlterTableCmd" in cmd)) return false;
  const { subtype, def } = cmd.AlterTableCmd;
  if (subtype !== "AT_AttachPartition" || def === undefined || !("PartitionCmd" in def)) return false;
  const { name } = def.PartitionCmd;
  return name !== undefined && (await relationNamed(session, nameOfRange(name)))?.oid === oid;
}

/**
 * Constraints that came with the later columns or with the table that it is attached to, and the primary key if that comes later; of
 * the latter with its columns.
 */
async function constraintsWith(
  session: Session,
  oid: string,
  changes: Changes,
): Promise<{ readonly name: string; readonly columns: readonly string[] }[]> {
  const { attached, columns: added, constraints, primaryKey } = changes;
  if (added.size === 0 && constraints.size === 0 && !primaryKey && !attached) return [];
  const rows = await session.rows(
    `SELECT c.conname AS name, c.contype AS type, c.conparentid <> 0 OR c.coninhcount > 0 AS inherited, pg_catalog.to_json(ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey))) AS columns
     FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::pg_catalog.oid`,
    [oid],
  );
  return rows.flatMap((row) => {
    const columns = JSON.parse(row.columns ?? "[]") as string[];
    const name = row.name ?? "";
    const inherited = attached && row.inherited === "t";
    if (row.type === "p" && (primaryKey || inherited || constraints.has(name))) return [{ name, columns }];
    return inherited || columns.some((column) => added.has(column)) ? [{ name, columns: [] }] : [];
  });
}
