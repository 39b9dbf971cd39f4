import type { LockMode } from "../../sql/locks/types.ts";
import { qualified } from "../../sql/quote.ts";

/** A table that is to be locked at the beginning of a transaction. */
export interface EarlyLock {
  readonly schema: string;
  readonly name: string;
  readonly mode: LockMode;
  /** How many tables its foreign keys lead to, by way of others too. */
  readonly depth: number;
}

/**
 * The statements that lock these tables, each alone since its descendants are in the list for themselves. Their order is the
 * same in whatever company they are: a table before those that refer to it, then by name. So two transactions that lock
 * what they need in this way cannot wait for each other.
 */
export function lockTablesSql(locks: readonly EarlyLock[]): string[] {
  const ordered = locks.toSorted(
    (a, b) => a.depth - b.depth || compare(a.schema, b.schema) || compare(a.name, b.name),
  );
  const statements: { readonly mode: LockMode; readonly tables: string[] }[] = [];
  for (const { mode, name, schema } of ordered) {
    const last = statements.at(-1);
    const table = `ONLY ${qualified(schema, name)}`;
    if (last?.mode === mode) last.tables.push(table);
    else statements.push({ mode, tables: [table] });
  }
  return statements.map(({ mode, tables }) => `LOCK TABLE ${tables.join(", ")} IN ${mode} MODE`);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
