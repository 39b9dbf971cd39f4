import type { CreateExtensionStmt, CreateSchemaStmt, Node } from "libpg-query";
import type { Session } from "../../postgres/session.ts";
import { ident } from "../../sql/quote.ts";
import { stringOf } from "../../sql/tree.ts";
import { NotComparable, type Creation } from "./creation.ts";

/** CREATE SCHEMA: its owner counts only where AUTHORIZATION names one. */
export function schemaCreation(_sql: string, statement: CreateSchemaStmt): Creation {
  const { authrole, schemaname, schemaElts = [] } = statement;
  const owner = (session: Session): Promise<string | null> => roleName(session, authrole);
  return {
    async lookup(session) {
      const name = schemaname ?? (await owner(session));
      const [row] = await session.rows(
        "SELECT oid, nspname AS name FROM pg_catalog.pg_namespace WHERE nspname = $1::pg_catalog.name",
        [name],
      );
      if (row === undefined) return null;
      return { oid: row.oid ?? "", schema: null, name: `schema ${ident(row.name ?? "")}` };
    },
    async differences({ session }, existing) {
      if (schemaElts.length > 0) throw new NotComparable("the schema is made together with objects in it");
      const [row] = await session.rows(
        `SELECT r.rolname AS owner FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
         WHERE n.oid = $1::pg_catalog.oid`,
        [existing.oid],
      );
      const [has, says] = [row?.owner ?? null, await owner(session)];
      return says === null || has === says ? [] : [`owner: ${has ?? "nobody"}, the file says ${says}`];
    },
  };
}

async function roleName(session: Session, role: CreateSchemaStmt["authrole"]): Promise<string | null> {
  if (role === undefined) return null;
  if (role.rolename !== undefined) return role.rolename;
  const who = role.roletype === "ROLESPEC_SESSION_USER" ? "session_user" : "current_user";
  const [row] = await session.rows(`SELECT ${who}::pg_catalog.text AS name`);
  return row?.name ?? null;
}

/**
 * CREATE EXTENSION: there is at most one of a name in a database, so that none can be made beside it. Its version and schema
 * count where the statement names them.
 */
export function extensionCreation(_sql: string, statement: CreateExtensionStmt): Creation {
  const { extname = "", options = [] } = statement;
  const option = (name: string): string | null => optionOf(options, name);
  return {
    async lookup(session) {
      const [row] = await session.rows(
        "SELECT oid FROM pg_catalog.pg_extension WHERE extname = $1::pg_catalog.name",
        [extname],
      );
      return row === undefined
        ? null
        : { oid: row.oid ?? "", schema: null, name: `extension ${ident(extname)}` };
    },
    async differences({ session }, existing) {
      const [row] = await session.rows(
        `SELECT e.extversion AS version, n.nspname AS schema FROM pg_catalog.pg_extension e
         JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.oid = $1::pg_catalog.oid`,
        [existing.oid],
      );
      return [
        ["version", row?.version ?? null, option("new_version")] as const,
        ["schema", row?.schema ?? null, option("schema")] as const,
      ]
        .filter(([, has, says]) => says !== null && has !== says)
        .map(([what, has, says]) => `${what}: ${has ?? "none"}, the file says ${says ?? "none"}`);
    },
  };
}

function optionOf(options: readonly Node[], name: string): string | null {
  for (const option of options) {
    if ("DefElem" in option && option.DefElem.defname === name) return stringOf(option.DefElem.arg) ?? null;
  }
  return null;
}
