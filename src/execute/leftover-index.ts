import type { Session } from "../postgres/session.ts";
import { parseSql } from "../sql/parser.ts";
import { literal, qualified } from "../sql/quote.ts";
import type { Statement } from "../sql/types.ts";

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
  const rows = await invalidIndexes(session, condition);
  return { condition, oids: new Set(rows.map(({ oid }) => oid)) };
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
  for (const { oid, name, busy } of await invalidIndexes(session, before.condition)) {
    if (before.oids.has(oid)) continue;
    try {
      if (busy) throw new Error("somebody else is at work on the table");
      await session.query(`SET statement_timeout = ${withinMs}; SET lock_timeout = 0`);
      await session.query(`DROP INDEX CONCURRENTLY ${name}`);
      dropped.push(name);
    } catch {
      left.push(name);
    }
  }
  return { dropped, left };
}

async function invalidIndexes(
  session: Session,
  condition: string,
): Promise<{ readonly oid: string; readonly name: string; readonly busy: boolean }[]> {
  const rows = await session.rows(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, EXISTS (
       SELECT FROM pg_catalog.pg_locks l WHERE l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock'
         AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
         AND l.pid <> pg_catalog.pg_backend_pid()) AS busy
     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT i.indisvalid AND c.relkind = 'i' AND ${condition}`,
  );
  return rows.map((row) => ({
    oid: row.oid ?? "",
    name: qualified(row.schema ?? null, row.name ?? ""),
    busy: row.busy === "t",
  }));
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
