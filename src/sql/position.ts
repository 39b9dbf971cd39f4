/** A place in a text: 1-based line, and 1-based column in characters (code points, a tab being one). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export const TEXT_START: Position = { line: 1, column: 1 };

/**
 * Turns UTF-16 offsets into lines and columns. Offsets that come in order cost one walk over the text altogether.
 * A line ends at LF, CRLF or a lone CR; a byte order mark at the very start takes no column.
 */
export class PositionWalker {
  readonly #text: string;
  readonly #start: Position;
  #offset = 0;
  #line: number;
  #column: number;

  /** @param start where in its file the text begins. */
  constructor(text: string, start: Position = TEXT_START) {
    this.#text = text;
    this.#start = start;
    this.#line = start.line;
    this.#column = start.column;
  }

  to(offset: number): Position {
    const text = this.#text;
    const target = Math.max(0, Math.min(offset, text.length));
    if (target < this.#offset) {
      this.#offset = 0;
      this.#line = this.#start.line;
      this.#column = this.#start.column;
    }
    let line = this.#line;
    let column = this.#column;
    let at = this.#offset;
    for (; at < target; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10)) {
        line += 1;
        column = 1;
      } else if (!isTrailSurrogate(code) && code !== 13 && !(code === 0xfeff && at === 0)) {
        column += 1;
      }
    }
    this.#offset = at;
    this.#line = line;
    this.#column = column;
    return { line, column };
  }
}

/** The line and column of a UTF-16 offset. For many offsets of one text use PositionWalker. */
export function offsetToPosition(text: string, offset: number, start: Position = TEXT_START): Position {
  return new PositionWalker(text, start).to(offset);
}

/** The UTF-16 offset of the n-th character (0-based, counted in code points as the server does). */
export function characterOffset(text: string, characters: number): number {
  let offset = 0;
  for (let left = characters; left > 0 && offset < text.length; left -= 1) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

/** Whether a code unit is the second half of a pair; a lone one counts with what stands before it. */
function isTrailSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
