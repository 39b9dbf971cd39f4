import { Client } from "pg";
import { stronger } from "../../../src/sql/locks/conflicts.ts";
import { LOCK_MODES, type LockMode } from "../../../src/sql/locks/types.ts";
import type { CorpusCase } from "./corpus.ts";

/** A lock that is held, or waited for. */
export interface SeenLock {
  readonly oid: number;
  readonly name: string;
  readonly mode: LockMode;
  /** Of an index: its table. */
  readonly tableOid: number | null;
}

const LOCKS = `SELECT l.relation::oid::int AS oid, l.mode, l.granted FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.pid = $1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
const RELATIONS = `SELECT c.oid::int AS oid, c.relname AS name, x.indrelid::int AS "tableOid" FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index x ON x.indexrelid = c.oid
  WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')`;

export interface Relation {
  readonly oid: number;
  readonly name: string;
  readonly tableOid: number | null;
}

/** pg_locks calls them AccessShareLock and so on. */
function modeNamed(mode: string): LockMode | undefined {
  const words = mode
    .replace(/Lock$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
  return LOCK_MODES.find((one) => one === words);
}

/** The strongest of each relation; an index whose table is locked as strongly adds nothing to it, and is left out. */
export function strongest<T extends Omit<SeenLock, "name">>(locks: readonly T[]): Map<number, T> {
  const best = new Map<number, T>();
  for (const lock of locks) {
    const before = best.get(lock.oid);
    if (before === undefined || stronger(before.mode, lock.mode) !== before.mode) best.set(lock.oid, lock);
  }
  for (const [oid, { mode, tableOid }] of best) {
    const table = tableOid === null ? undefined : best.get(tableOid);
    if (table !== undefined && stronger(table.mode, mode) === table.mode) best.delete(oid);
  }
  return best;
}

/** Relations that are there before the statement runs; what it makes is nobody's business. */
export async function relationsOf(client: Client): Promise<Map<number, Relation>> {
  const { rows } = await client.query<Relation>(RELATIONS);
  return new Map(rows.map((row) => [row.oid, row]));
}

/**
 * Runs a statement and tells which locks it took on relations that were there before: in a transaction that is rolled
 * back, or, where it must stand alone, once for each of the locks that somebody else holds, seen from another session.
 * @param client of a database with the schema of the corpus.
 * @param copy makes another such database for a statement that cannot be undone; returns its URL.
 */
export async function observe(
  one: CorpusCase,
  client: Client,
  copy: () => Promise<string>,
): Promise<SeenLock[]> {
  const seen = one.alone === true ? await observeAlone(one, copy) : await observeInside(one, client);
  return [...strongest(seen).values()];
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function observeInside({ sql }: CorpusCase, client: Client): Promise<SeenLock[]> {
  const relations = await relationsOf(client);
  await client.query("BEGIN");
  try {
    await client.query(sql);
    return await look(client, relations, await pidOf(client));
  } finally {
    await client.query("ROLLBACK; DEALLOCATE ALL");
  }
}

async function pidOf(client: Client): Promise<number> {
  return (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]!.pid;
}

async function look(
  client: Client,
  relations: ReadonlyMap<number, Relation>,
  pid: number,
): Promise<SeenLock[]> {
  const { rows } = await client.query<{ oid: number; mode: string; granted: boolean }>(LOCKS, [pid]);
  return rows.flatMap((row) => {
    const relation = relations.get(row.oid);
    const mode = modeNamed(row.mode);
    return relation === undefined || mode === undefined ? [] : [{ ...relation, mode }];
  });
}

/** What somebody else holds while it runs, so that it has to wait and can be looked at: nothing, a reader's locks, a writer's, a table. */
const HOLD = [
  null,
  "SELECT * FROM t, pt, alone LIMIT 1",
  "LOCK TABLE t, pt, alone IN ROW EXCLUSIVE MODE",
  "LOCK TABLE t, pt, alone IN SHARE UPDATE EXCLUSIVE MODE",
  ...["t", "ONLY pt", "pt1", "pt2", "alone", "ref"].map(
    (table) => `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`,
  ),
];
const WAITS_AT_MOST_MS = 400;

async function observeAlone({ sql }: CorpusCase, copy: () => Promise<string>): Promise<SeenLock[]> {
  const all: SeenLock[] = [];
  for (const hold of HOLD) {
    const url = await copy();
    await withClient(url, (holder) =>
      withClient(url, (watcher) =>
        withClient(url, async (client) => {
          const relations = await relationsOf(watcher);
          const pid = await pidOf(client);
          if (hold !== null) await holder.query(`BEGIN; ${hold}`);
          const state = { over: false };
          const running = client.query(sql).finally(() => {
            state.over = true;
          });
          running.catch(() => undefined);
          const until = performance.now() + WAITS_AT_MOST_MS;
          while (!state.over && (hold === null || performance.now() < until)) {
            all.push(...(await look(watcher, relations, pid)));
          }
          if (hold !== null) await holder.query("ROLLBACK");
          while (!state.over) all.push(...(await look(watcher, relations, pid)));
          await running;
        }),
      ),
    );
  }
  return all;
}
