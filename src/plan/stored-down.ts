import type { Section } from "../migrations/types.ts";

const WITHOUT_TRANSACTION = "-- migrate:down transaction:false\n";

/** The text of a way down as the history keeps it: with the marker that says so where it wants no transaction. */
export function storeDown(section: Section | null): string | null {
  if (section === null) return null;
  return section.transaction ? section.sql : WITHOUT_TRANSACTION + section.sql;
}

/** A stored way down taken apart again. */
export function readStoredDown(text: string): { readonly sql: string; readonly transaction: boolean } {
  return text.startsWith(WITHOUT_TRANSACTION)
    ? { sql: text.slice(WITHOUT_TRANSACTION.length), transaction: false }
    : { sql: text, transaction: true };
}
