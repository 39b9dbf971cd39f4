import type { Client } from "pg";
import { resolveLocks } from "../../../src/execute/locks/resolve-locks.ts";
import type { Session } from "../../../src/postgres/session.ts";
import { modeOf } from "../../../src/sql/locks/mode-of.ts";
import { statementLocks } from "../../../src/sql/locks/statement-locks.ts";
import type { LockRequest } from "../../../src/sql/locks/types.ts";
import { parseSql } from "../../../src/sql/parser.ts";
import { relationsOf, strongest, type SeenLock } from "./measure.ts";

/** A relation that a statement is said to lock, and by which of its requests. */
export interface Meant {
  readonly request: LockRequest;
  readonly oid: number;
  readonly name: string;
}

/** What a statement asks for, found in a database. */
export async function meant(
  sql: string,
  session: Session,
  options: { readonly everything: boolean },
): Promise<readonly Meant[]> {
  const outcome = await parseSql(sql);
  if (!outcome.ok) throw new Error(`${sql}: ${outcome.fault.message}`);
  const { requests } = statementLocks(outcome.statements[0]!.node, options);
  return resolveLocks(session, null, requests);
}

/** The locks that a statement is said to take on a server of this version. */
export async function predict(
  sql: string,
  session: Session,
  client: Client,
  major: number,
): Promise<SeenLock[]> {
  const relations = await relationsOf(client);
  const locks = (await meant(sql, session, { everything: false })).flatMap(({ oid, request }) => {
    const relation = relations.get(oid);
    const mode = modeOf(request, major);
    return relation === undefined || mode === null ? [] : [{ ...relation, mode }];
  });
  return [...strongest(locks).values()];
}
