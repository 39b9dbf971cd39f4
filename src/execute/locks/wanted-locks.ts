import { FreshRelations } from "../../sql/locks/fresh.ts";
import { mightQueue } from "../../sql/locks/might-queue.ts";
import { setsSomething } from "../../sql/locks/sets-something.ts";
import type { LockRequest } from "../../sql/locks/types.ts";
import type { Statement } from "../../sql/types.ts";

/** With whether it can be taken at the beginning: no statement before the one that wants it works on rows. */
export type WantedRequest = LockRequest & { readonly early: boolean };

/** The strong locks of a transaction on relations that others may use. */
export interface WantedLocks {
  readonly requests: readonly WantedRequest[];
  /** Whether a statement may wait for rows that others have changed: that is no lock on a relation, but has the same timeout. */
  readonly changesRows: boolean;
  /** The first statement that wants one. */
  readonly statement: Statement;
}

const WAITS_FOR_ROWS = new Set(["INSERT", "UPDATE", "DELETE", "MERGE", "SELECT FOR UPDATE", "COPY FROM"]);

/** @returns null where nobody can be held up: no statement takes a lock that others would queue behind. */
export function wantedLocks(statements: readonly Statement[]): WantedLocks | null {
  const fresh = new FreshRelations();
  const requests: WantedRequest[] = [];
  let first: Statement | null = null;
  let early = true;
  for (const statement of statements) {
    const { rows, unknown } = statement.locks;
    const old = fresh.next(statement);
    const strong = old.filter(mightQueue);
    if (strong.length > 0) first ??= statement;
    requests.push(...strong.map((request) => ({ ...request, early })));
    if ((rows && old.length > 0) || unknown !== null) early = false;
    // Another role may not have the right to lock, and SET TRANSACTION wants to be first.
    if (setsSomething(statement)) early = false;
  }
  const changesRows = statements.some(({ locks }) =>
    locks.requests.some(({ form }) => WAITS_FOR_ROWS.has(form)),
  );
  return first === null ? null : { requests, changesRows, statement: first };
}
