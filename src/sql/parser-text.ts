/**
 * What the parser is given: the text without a leading byte order mark and with CRLF made LF, so that the tree, and with
 * it the hash of a statement, does not depend on the line ends of a checkout.
 */
export function parserText(text: string): string {
  const withoutMark = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return withoutMark.includes("\r\n") ? withoutMark.replaceAll("\r\n", "\n") : withoutMark;
}

/** Whether the code unit at the offset is missing from `parserText`. */
function isDropped(text: string, offset: number, code: number): boolean {
  return code === 13 ? text.charCodeAt(offset + 1) === 10 : code === 0xfeff && offset === 0;
}

/** Maps offsets in `parserText(text)`, counted in UTF-8 bytes, back to UTF-16 offsets in `text`; they must come in order. */
export class ByteWalker {
  readonly #text: string;
  #offset = 0;
  #bytes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  to(bytes: number): number {
    const text = this.#text;
    let at = this.#offset;
    let passed = this.#bytes;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (isDropped(text, at, code)) continue;
      if (passed >= bytes) break;
      if (code < 0x80) passed += 1;
      else if (code < 0x800) passed += 2;
      else if (code >= 0xd800 && code <= 0xdbff && isTrail(text.charCodeAt(at + 1))) {
        passed += 4;
        at += 1;
      } else passed += 3;
    }
    this.#offset = at;
    this.#bytes = passed;
    return at;
  }
}

function isTrail(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** Maps an offset in `parserText(text)`, counted in characters (as the parser reports errors), to a UTF-16 offset. */
export function parserCharacterOffset(text: string, characters: number): number {
  let left = characters;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isDropped(text, at, code)) continue;
    if (left <= 0) return at;
    left -= 1;
    if (code >= 0xd800 && code <= 0xdbff && isTrail(text.charCodeAt(at + 1))) at += 1;
  }
  return text.length;
}
