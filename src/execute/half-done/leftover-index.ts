import { whoIsAtWork } from "./holders.ts";
import { findIndexes, type TableIndex } from "./indexes.ts";
import type { Session } from "../../postgres/session.ts";
import { parseSql } from "../../sql/parser.ts";
import { literal, qualified } from "../../sql/quote.ts";
import type { Statement } from "../../sql/types.ts";

/** The INVALID indexes that were there before a statement, to know later which ones it left. */
export interface IndexesBefore {
  /** Narrows down to what the statement may leave. */
  readonly condition: string;
  readonly oids: ReadonlySet<string>;
}

/**
 * Looks which INVALID indexes there are before CREATE INDEX or REINDEX CONCURRENTLY runs.
 * @returns null for a statement that leaves none.
 */
export async function indexesBefore(session: Session, statement: Statement): Promise<IndexesBefore | null> {
  const condition = statement.patient ? await leftoversOf(statement.sql) : null;
  if (condition === null) return null;
  const indexes = await invalidIndexes(session, condition);
  return { condition, oids: new Set(indexes.map(({ oid }) => oid)) };
}

/**
 * Drops the INVALID indexes that a failed statement has left, as the manual advises (CREATE INDEX, "Building Indexes
 * Concurrently"). One on whose table somebody else builds or drops something is let alone, and so is one that cannot be had in time:
 * the next run drops it.
 * @param withinMs how long dropping one may take.
 * @returns the names of those that are gone, and of those that are left.
 */
export async function dropLeftovers(
  session: Session,
  before: IndexesBefore,
  withinMs: number,
): Promise<{ readonly dropped: string[]; readonly left: string[] }> {
  const dropped: string[] = [];
  const left: string[] = [];
  for (const { oid, table, schema, name: bare } of await invalidIndexes(session, before.condition)) {
    if (before.oids.has(oid)) continue;
    const name = qualified(schema, bare);
    try {
      if ((await whoIsAtWork(session, table)) !== null)
        throw new Error("somebody else is at work on the table");
      await session.query(`SET statement_timeout = ${withinMs}; SET lock_timeout = 0`);
      await session.query(`DROP INDEX CONCURRENTLY ${name}`);
      dropped.push(name);
    } catch {
      left.push(name);
    }
  }
  return { dropped, left };
}

async function invalidIndexes(session: Session, condition: string): Promise<TableIndex[]> {
  return findIndexes(session, `NOT i.indisvalid AND ${condition}`, []);
}

/** What a statement may leave, as a condition; null: nothing. */
async function leftoversOf(sql: string): Promise<string | null> {
  const outcome = await parseSql(sql);
  const node = outcome.ok ? outcome.statements[0]?.node : undefined;
  if (node === undefined) return null;
  // REINDEX CONCURRENTLY names what it makes, and what it takes the place of, after the index (manual, REINDEX).
  if ("ReindexStmt" in node) return "c.relname ~ '_cc(new|old)[0-9]*$'";
  if (!("IndexStmt" in node)) return null;
  const { relation, idxname: name } = node.IndexStmt;
  if (relation?.relname === undefined) return null;
  const table = literal(qualified(relation.schemaname ?? null, relation.relname));
  const named = name === undefined ? "" : ` AND c.relname = ${literal(name)}`;
  return `i.indrelid = pg_catalog.to_regclass(${table})${named}`;
}
