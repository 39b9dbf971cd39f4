import { stripVTControlCharacters } from "node:util";

/** Written out, since making the set of a Unicode property takes a tenth of a millisecond at each start. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\s\0-\x1f\x7f-\x9f]+/g;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// Ranges of East Asian Width W and F (Unicode Standard Annex 11), and emoji shown as pictures.
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x2614, 0x2615],
  [0x26a1, 0x26a1],
  [0x2705, 0x2705],
  [0x274c, 0x274c],
  [0x2753, 0x2757],
  [0x2795, 0x2797],
  [0x2b1b, 0x2b1c],
  [0x2b50, 0x2b55],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function charWidth(char: string): number {
  const code = char.codePointAt(0)!;
  // The signs that reports begin with are among the symbols, none of which combine.
  if (code < 0x300 || (code >= 0x2713 && code <= 0x2718)) return 1;
  if (ZERO_WIDTH.test(char)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** How many columns of a terminal a text takes; escape sequences take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += charWidth(char);
  return width;
}

/** Shortens plain text (no escape sequences) to at most `width` columns, with an ellipsis where something was cut. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return "";
  if (textWidth(text) <= width) return text;
  let used = 0;
  let kept = "";
  for (const char of text) {
    const next = charWidth(char);
    if (used + next > width - 1) break;
    used += next;
    kept += char;
  }
  return `${kept}…`;
}

/** Fills text with spaces up to `width` columns; longer text is left as it is. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const fill = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + fill : fill + text;
}

/** One safe line of text that came from elsewhere: no escape sequences, no control characters, white space squeezed. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROL, " ").trim();
}
