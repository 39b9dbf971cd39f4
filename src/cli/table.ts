import { pad, textWidth, truncate } from "./text-width.ts";

export interface Column {
  readonly align?: "left" | "right";
  /** When the table is too wide, the column with the highest number goes first; 0: stays. */
  readonly drop: number;
  /** Cut with an ellipsis when dropping columns was not enough. */
  readonly shrink?: boolean;
}

/** Plain text, coloured after it was measured. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const GAP = 2;
const NARROWEST = 12;

/**
 * Lays out rows in columns.
 * @param width columns at hand; 0: no limit.
 * @returns one line a row, no trailing spaces.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): string[] {
  const widths = columns.map((_, at) => Math.max(0, ...rows.map((row) => textWidth(row[at]?.text ?? ""))));
  let shown = columns.map((_, at) => at).filter((at) => widths[at]! > 0);
  const total = () => shown.reduce((sum, at) => sum + widths[at]!, 0) + GAP * Math.max(0, shown.length - 1);

  const droppable = columns
    .map((_, at) => at)
    .filter((at) => columns[at]!.drop > 0)
    .sort((a, b) => columns[b]!.drop - columns[a]!.drop);
  for (const at of droppable) {
    if (width > 0 && total() > width) shown = shown.filter((each) => each !== at);
  }
  const excess = width > 0 ? total() - width : 0;
  const widest = shown
    .filter((at) => columns[at]!.shrink === true)
    .sort((a, b) => widths[b]! - widths[a]!)[0];
  if (excess > 0 && widest !== undefined) {
    widths[widest] = Math.max(Math.min(NARROWEST, widths[widest]!), widths[widest]! - excess);
  }

  return rows.map((row) =>
    shown
      .map((at) => {
        const cell = row[at] ?? { text: "" };
        const text = pad(truncate(cell.text, widths[at]!), widths[at]!, columns[at]!.align);
        return cell.paint === undefined ? text : cell.paint(text);
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}
