import type { HistoryChange } from "./change.ts";
import { plainText } from "./storable.ts";

/** The change with what is said in words, such as a reason or an error, in characters that every encoding has. */
export function inPlainWords(change: HistoryChange): HistoryChange {
  const plain = <T>(value: T): T => JSON.parse(plainText(JSON.stringify(value))) as T;
  const [first, ...others] = change.log.map((entry) => ({
    ...entry,
    message: plainText(entry.message),
    details: plain(entry.details),
  }));
  const { migration } = change;
  return {
    ...change,
    log: [first!, ...others],
    ...(migration === undefined ? {} : { migration: { ...migration, error: plain(migration.error) } }),
  };
}
