/**
 * A text as PostgreSQL can hold it: NUL characters and halves of surrogate pairs, which any error of a code migration
 * may contain, become U+FFFD (manual 8.3 and 8.14).
 */
export function storableText(text: string): string {
  return text.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** JSON that jsonb takes; see `storableText`. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? storableText(part) : part));
}
