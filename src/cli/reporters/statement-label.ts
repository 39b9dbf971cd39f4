import { maskSecrets } from "../../core/mask-secrets.ts";
import { oneLine } from "../text-width.ts";

/** A statement on one line, without the comments in front of it and without secrets. */
export function statementLabel(sql: string): string {
  let rest = sql.trimStart();
  for (;;) {
    const comment = /^(?:--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)\s*/.exec(rest);
    if (comment === null || comment[0] === "") break;
    rest = rest.slice(comment[0].length);
  }
  return oneLine(maskSecrets(rest));
}

/** `1 234 567`, as SI writes numbers. */
export function groupDigits(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}

/** `1 row`, `3 rows`. */
export function count(value: number, word: string): string {
  return `${groupDigits(value)} ${word}${value === 1 ? "" : "s"}`;
}

function words(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "_");
}

/** A migration's description, unless its id says the same: then nothing. */
export function tellingDescription(id: string, description: string): string {
  return words(id).endsWith(words(description)) ? "" : oneLine(description);
}
