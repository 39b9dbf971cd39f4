/** What a piece of SQL text is, as far as quoting, comments and statement ends go. */
export type TokenKind =
  | "word"
  | "quoted-name"
  | "string"
  | "dollar-string"
  | "number"
  | "parameter"
  | "semicolon"
  | "open"
  | "close"
  | "operator"
  | "line-comment"
  | "block-comment"
  | "psql-command"
  | "copy-data";

const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER = /\d[\w.]*/y;
const PARAMETER = /\$\d+/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
/** White space with a line break in it, then a quote: the string goes on (manual 4.1.2.1), with its backslash escapes. */
const STRING_GOES_ON = /[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;
const END_OF_COPY = /^\\\.[ \t]*\r?$/gm;
/** What is written in the middle of a statement's line; other backslashes there are rather a slip in a string's quotes. */
const PSQL_INSIDE_STATEMENT =
  /\\(?:;|g(?:x|set|exec|desc)?\b|watch\b|crosstabview\b|bind(?:_named)?\b|parse\b|sendpipeline\b)/y;
const PSQL_COMMAND = /\\[A-Za-z!?.;]/y;

/**
 * Walks SQL text token by token without a parser: quotes, E'' strings, dollar quotes, nested comments, and what only
 * psql understands (backslash commands, the data below COPY … FROM stdin). Offsets are UTF-16 units.
 * It accepts anything: what is not closed ends with the text. Strings are read with standard_conforming_strings on.
 * Rules: PostgreSQL manual 4.1 and the server's scan.l.
 */
export class SqlLexer {
  readonly text: string;
  kind: TokenKind = "operator";
  start = 0;
  end = 0;
  /** Offset of the first COPY … FROM stdin whose data has no closing `\.` line; what follows it is read as SQL. */
  unclosedCopy: number | null = null;

  #copy: "no" | "copy" | "from" | "stdin" = "no";
  #inStatement = false;
  #depth = 0;
  #dataFollows = false;

  constructor(text: string, start = 0) {
    this.text = text;
    this.end = start === 0 && text.charCodeAt(0) === 0xfeff ? 1 : start;
  }

  /** Moves to the next token. @returns false at the end of the text. */
  next(): boolean {
    const { text } = this;
    let at = this.end;
    for (let code = text.charCodeAt(at); isSpace(code); code = text.charCodeAt(at)) {
      at += 1;
      if (code === 10 && this.#dataFollows) {
        const end = this.#endOfCopyData(at);
        if (end !== null) return this.#token("copy-data", at, end);
      }
    }
    if (at >= text.length) {
      this.start = text.length;
      this.end = text.length;
      return false;
    }
    const found = this.#read(at);
    this.#follow();
    return found;
  }

  #read(at: number): boolean {
    const { text } = this;
    const code = text.charCodeAt(at);
    switch (code) {
      case 0x27:
        return this.#token("string", at, endOfQuoted(text, at + 1, "'"));
      case 0x22:
        return this.#token("quoted-name", at, endOfQuoted(text, at + 1, '"'));
      case 0x3b:
        return this.#token("semicolon", at, at + 1);
      case 0x28:
        return this.#token("open", at, at + 1);
      case 0x29:
        return this.#token("close", at, at + 1);
      case 0x24:
        return this.#dollar(at);
      case 0x5c:
        return this.#backslash(at);
      case 0x2d:
        if (text.charCodeAt(at + 1) === 0x2d) return this.#token("line-comment", at, endOfLine(text, at));
        break;
      case 0x2f:
        if (text.charCodeAt(at + 1) === 0x2a)
          return this.#token("block-comment", at, endOfBlockComment(text, at));
        break;
      default:
        if (code >= 0x30 && code <= 0x39) return this.#token("number", at, match(NUMBER, text, at));
        if (isWordStart(code)) return this.#word(at);
    }
    return this.#token("operator", at, at + 1);
  }

  #word(at: number): boolean {
    const { text } = this;
    const end = match(WORD, text, at);
    if (end - at !== 1) return this.#token("word", at, end);
    const prefix = text.charCodeAt(at) | 0x20;
    const next = text.charCodeAt(end);
    if (next === 0x27) {
      if (prefix === 0x65) return this.#token("string", at, endOfEscapeString(text, end + 1));
      if (prefix === 0x62 || prefix === 0x78 || prefix === 0x6e) {
        return this.#token("string", at, endOfQuoted(text, end + 1, "'"));
      }
    }
    if (prefix === 0x75 && next === 0x26) {
      const quote = text[end + 1];
      if (quote === "'") return this.#token("string", at, endOfQuoted(text, end + 2, quote));
      if (quote === '"') return this.#token("quoted-name", at, endOfQuoted(text, end + 2, quote));
    }
    return this.#token("word", at, end);
  }

  #dollar(at: number): boolean {
    const { text } = this;
    const bodyStart = match(DOLLAR_TAG, text, at);
    if (bodyStart > at) {
      const tag = text.slice(at, bodyStart);
      const close = text.indexOf(tag, bodyStart);
      return this.#token("dollar-string", at, close === -1 ? text.length : close + tag.length);
    }
    const end = match(PARAMETER, text, at);
    return end > at ? this.#token("parameter", at, end) : this.#token("operator", at, at + 1);
  }

  #backslash(at: number): boolean {
    const { text } = this;
    const pattern = !this.#inStatement || startsLine(text, at) ? PSQL_COMMAND : PSQL_INSIDE_STATEMENT;
    if (match(pattern, text, at) === at) return this.#token("operator", at, at + 1);
    const end = text.startsWith("\\;", at) ? at + 2 : endOfLine(text, at);
    this.#dataFollows = /^\\copy\b.*\bfrom\s+p?stdin\b/i.test(text.slice(at, end));
    return this.#token("psql-command", at, end);
  }

  #token(kind: TokenKind, start: number, end: number): boolean {
    this.kind = kind;
    this.start = start;
    this.end = end;
    return true;
  }

  /** Keeps track of whether the statement is a COPY … FROM stdin. */
  #follow(): void {
    if (isComment(this)) return;
    if (this.kind === "semicolon") {
      if (this.#copy === "stdin") this.#dataFollows = true;
      this.#copy = "no";
      this.#inStatement = false;
      this.#depth = 0;
      return;
    }
    if (this.kind === "open") this.#depth += 1;
    if (this.kind === "close") this.#depth -= 1;
    if (!this.#inStatement) {
      this.#inStatement = true;
      this.#copy = this.kind === "word" && isWord(this, "copy") ? "copy" : "no";
    } else if (this.#copy !== "no" && this.#copy !== "stdin" && this.#depth === 0) {
      const isInput = this.#copy === "from" && (isWord(this, "stdin") || isWord(this, "stdout"));
      this.#copy = isInput ? "stdin" : isWord(this, "from") ? "from" : "copy";
    }
  }

  #endOfCopyData(from: number): number | null {
    this.#dataFollows = false;
    if (this.unclosedCopy !== null) return null;
    END_OF_COPY.lastIndex = from;
    const found = END_OF_COPY.exec(this.text);
    if (found !== null) return found.index + found[0].length;
    this.unclosedCopy = from;
    return null;
  }
}

/** Whether the lexer stands on the keyword (given in lower case), in whatever case it is written. */
export function isWord(lexer: SqlLexer, keyword: string): boolean {
  return (
    lexer.kind === "word" &&
    lexer.end - lexer.start === keyword.length &&
    lexer.text.slice(lexer.start, lexer.end).toLowerCase() === keyword
  );
}

/** Whether the lexer stands on a comment. */
export function isComment(lexer: SqlLexer): boolean {
  return lexer.kind === "line-comment" || lexer.kind === "block-comment";
}

/** Whether only blanks stand between the start of the line and the offset. */
export function startsLine(text: string, offset: number): boolean {
  let at = offset - 1;
  while (at >= 0 && (text[at] === " " || text[at] === "\t")) at -= 1;
  return at < 0 || text[at] === "\n" || text[at] === "\r" || (at === 0 && text[0] === "\ufeff");
}

/** Whether the server takes the code unit for white space; beyond ASCII there is none. */
export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function isWordStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 0x80;
}

/** @returns the end of the match at the offset, or the offset itself. */
function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at += 1;
  return at;
}

function endOfQuoted(text: string, from: number, quote: "'" | '"'): number {
  for (let at = from; ; at += 2) {
    at = text.indexOf(quote, at);
    if (at === -1) return text.length;
    if (text[at + 1] !== quote) return at + 1;
  }
}

function endOfEscapeString(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\") at += 1;
    else if (char === "'") {
      if (text[at + 1] === "'") at += 1;
      else {
        const goesOn = match(STRING_GOES_ON, text, at + 1);
        if (goesOn === at + 1) return at + 1;
        at = goesOn - 1;
      }
    }
  }
  return text.length;
}

const COMMENT_MARK = /\/\*|\*\//g;

/** @param from offset of its `/*`. @returns where it ends, the comments within it being closed; the end of the text if it is not closed. */
export function endOfBlockComment(text: string, from: number): number {
  let depth = 0;
  COMMENT_MARK.lastIndex = from;
  for (let found = COMMENT_MARK.exec(text); found !== null; found = COMMENT_MARK.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return COMMENT_MARK.lastIndex;
  }
  return text.length;
}
