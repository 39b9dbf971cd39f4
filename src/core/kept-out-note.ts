import { maskSecrets } from "./mask-secrets.ts";

/** What a migration that stays out of the queue for a lock leaves where others can read it: in the text of its session's query. */
export interface KeptOutNote {
  readonly migration: string;
  /** As pg_locks has it: `AccessExclusiveLock`. */
  readonly mode: string;
  readonly relation: string;
  /** Sessions that hold what is in the way; 0: a prepared transaction. */
  readonly pids: readonly number[];
}

/** The server keeps only so much of a query, 1 kB unless told otherwise. */
const LONGEST = 150;
const MOST_PIDS = 10;
const NOTE = /^\/\* godwit: (.+?) stays out of the queue for (\w+) on (.+), held by ([\w, ]+) \*\/ SELECT$/;

/** A statement that does nothing, with the note as its comment. */
export function keptOutSql({ migration, mode, relation, pids }: KeptOutNote): string {
  const who = pids
    .slice(0, MOST_PIDS)
    .map((pid) => (pid === 0 ? "a prepared transaction" : `backend ${pid}`));
  return `/* godwit: ${plain(migration)} stays out of the queue for ${mode} on ${plain(relation)}, held by ${who.join(", ")} */ SELECT`;
}

/** The note in a query of `pg_stat_activity`; null: it has none. Who is not Godwit may write one too. */
export function keptOutNoteOf(query: string | null): KeptOutNote | null {
  const [, migration, mode, relation, who] = NOTE.exec(query ?? "") ?? [];
  if (migration === undefined || mode === undefined || relation === undefined || who === undefined)
    return null;
  const pids = who.split(", ").map((one) => Number(/^backend (\d+)$/.exec(one)?.[1] ?? 0));
  return { migration, mode, relation, pids };
}

/** Nothing that ends the comment or opens another, which PostgreSQL nests (manual 4.1.5), and no secret. */
function plain(text: string): string {
  return maskSecrets(text)
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .replaceAll("*", "_")
    .slice(0, LONGEST)
    .toWellFormed();
}
