/**
 * A text as PostgreSQL can hold it: NUL characters and halves of surrogate pairs, which any error of a code migration
 * may contain, become U+FFFD (manual 8.3 and 8.14).
 */
export function storableText(text: string): string {
  return text.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** JSON that jsonb takes; see `storableText`. */
export function storableJson(value: unknown): string {
  // JSON.stringify writes exactly these characters as escapes; an escaped backslash is skipped so that it escapes nothing.
  return JSON.stringify(value).replace(/\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g, (found) =>
    found === "\\\\" ? found : "\uFFFD",
  );
}

/** A text, or JSON, with every character that is not ASCII as its number: `U+20AC`. For an encoding that does not have it. */
export function plainText(text: string): string {
  return text.replaceAll(
    /[^\0-\x7f]/gu,
    (character) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`,
  );
}
