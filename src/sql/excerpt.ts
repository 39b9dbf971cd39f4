import { maskSecretsInPlace } from "../core/mask-secrets.ts";
import { characterOffset, offsetToPosition, type Position } from "./position.ts";
import { characterWidth } from "./text-width.ts";

export interface ExcerptOptions {
  /** The number to show for the text's first line, if it is a part of a file; default 1. */
  readonly firstLine?: number;
  /** Lines shown above and below; default 2 and 1. */
  readonly before?: number;
  readonly after?: number;
  /** Columns of the text shown; longer lines are cut to a window around the place. Default 100. */
  readonly width?: number;
}

const TAB = 4;
/** Control characters and those that turn the direction of text: shown as they are they could fake other text. */
const UNPRINTABLE = /^[\p{Cc}\u2028-\u202e\u2066-\u2069]$/u;

/** One cell of a line as shown: text of one column or more, or of none (combining marks). */
interface Cell {
  readonly shown: string;
  readonly width: number;
}

/**
 * The lines of a text around a place, numbered, with a caret under it; no trailing newline. Tabs become blanks,
 * characters that would do something to a terminal become `·`, passwords `*`, and long lines are cut with `…`.
 * @param line 1-based in the text; beyond its end the last line is taken.
 * @param column 1-based, in characters.
 */
export function excerpt(text: string, line: number, column: number, options: ExcerptOptions = {}): string {
  const { firstLine = 1, before = 2, after = 1, width = 100 } = options;
  const lines = maskSecretsInPlace(text.replace(/^\ufeff/, "")).split(/\r\n|\n|\r/);
  const place = Math.max(1, Math.min(line, lines.length));
  const from = Math.max(1, place - before);
  const to = Math.min(lines.length, place + after);
  const caretCells = cells(lines[place - 1]!);
  const caret = caretCells.slice(0, Math.max(0, column - 1)).reduce((sum, cell) => sum + cell.width, 0);
  const lineWidth = caretCells.reduce((sum, cell) => sum + cell.width, 0);
  const left =
    lineWidth <= width || caret < width - 10 ? 0 : Math.min(caret - Math.floor(width / 2), lineWidth - width);
  const gutter = String(firstLine + to - 1).length;
  const shown: string[] = [];
  for (let number = from; number <= to; number += 1) {
    const label = String(firstLine + number - 1).padStart(gutter);
    shown.push(`${label} | ${window(cells(lines[number - 1]!), left, width)}`.trimEnd());
    if (number === place) shown.push(`${" ".repeat(gutter)} | ${" ".repeat(Math.max(0, caret - left))}^`);
  }
  return shown.join("\n");
}

function cells(line: string): Cell[] {
  const found: Cell[] = [];
  let column = 0;
  for (const character of line) {
    const blanks = TAB - (column % TAB);
    const cell: Cell =
      character === "\t"
        ? { shown: " ".repeat(blanks), width: blanks }
        : UNPRINTABLE.test(character)
          ? { shown: "·", width: 1 }
          : { shown: character, width: characterWidth(character) };
    found.push(cell);
    column += cell.width;
  }
  return found;
}

/** The part of a line from the column `left` on, `width` columns wide, with `…` where something is cut off. */
function window(line: readonly Cell[], left: number, width: number): string {
  // The ellipsis takes the first column; half of what is cut there becomes blanks, so that the caret keeps its place.
  const first = left === 0 ? 0 : left + 1;
  const last = left + width;
  let shown = "";
  let column = 0;
  for (const cell of line) {
    const end = column + cell.width;
    if (column >= first && end <= last) shown += cell.shown;
    else if (column < first && end > first) shown += " ".repeat(end - first);
    column = end;
  }
  return `${left > 0 && column > left ? "…" : ""}${shown}${column > last ? "…" : ""}`;
}

/**
 * The place in the file that the server means with the `position` of an error: it counts the characters of the
 * statement that was sent, from 1 (manual 54.8).
 */
export function serverPosition(statement: { readonly sql: string } & Position, position: number): Position {
  const offset = characterOffset(statement.sql, position - 1);
  return offsetToPosition(statement.sql, offset, { line: statement.line, column: statement.column });
}
