import { PositionWalker, type Position } from "./position.ts";
import { isComment, isSpace, SqlLexer, startsLine } from "./tokens.ts";
import type { Directive } from "./types.ts";

const DIRECTIVE = /^--\s*godwit:([a-z_]+)(?:\s+(.*))?$/;

/** What stands around a statement. */
export interface Surroundings {
  /** Those right above it, with only comments and white space between. */
  readonly directives: readonly Directive[];
  /** Where its last token ends: comments and white space behind it are no part of it. UTF-16 offset. */
  readonly codeEnd: number;
}

const NONE: readonly Directive[] = Object.freeze([]);
const COMMENT = /--|\/\*/;

/** Walks along a text together with its statements, which must come in order. */
export class DirectiveReader {
  readonly #text: string;
  readonly #positions: PositionWalker;
  /** Where the statement before ends. */
  #from = 0;

  /** @param position where in its file the text begins. */
  constructor(text: string, position: Position) {
    this.#text = text;
    this.#positions = new PositionWalker(text, position);
  }

  /** @param start and end of the statement as the parser gives them. */
  statement(start: number, end: number): Surroundings {
    const from = this.#from;
    this.#from = end;
    if (!COMMENT.test(this.#text.slice(from, end))) {
      let codeEnd = end;
      while (codeEnd > start && isSpace(this.#text.charCodeAt(codeEnd - 1))) codeEnd -= 1;
      return { directives: NONE, codeEnd };
    }
    const lexer = new SqlLexer(this.#text, from);
    let more = lexer.next();
    let directives: Directive[] = [];
    for (; more && lexer.start < start; more = lexer.next()) {
      if (!isComment(lexer)) directives = [];
      else if (lexer.kind === "line-comment") {
        const directive = this.#directive(lexer);
        if (directive !== null) directives.push(directive);
      }
    }
    let codeEnd = start;
    for (; more && lexer.start < end; more = lexer.next()) {
      if (!isComment(lexer)) codeEnd = Math.min(lexer.end, end);
    }
    return { directives: Object.freeze(directives), codeEnd };
  }

  #directive({ text, start, end }: SqlLexer): Directive | null {
    const match = DIRECTIVE.exec(text.slice(start, end).trimEnd());
    if (match?.[1] === undefined || !startsLine(text, start)) return null;
    return Object.freeze({ name: match[1], argument: (match[2] ?? "").trim(), ...this.#positions.to(start) });
  }
}
