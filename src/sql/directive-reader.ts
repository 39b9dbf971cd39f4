import { PositionWalker, type Position } from "./position.ts";
import { isComment, SqlLexer, startsLine } from "./tokens.ts";
import type { Directive } from "./types.ts";

const DIRECTIVE = /^--\s*godwit:([a-z_]+)(?:\s+(.*))?$/;

/** What stands around a statement. */
export interface Surroundings {
  /** Those right above it, with only comments and white space between. */
  readonly directives: readonly Directive[];
  /** Where its last token ends: comments and white space behind it are no part of it. UTF-16 offset. */
  readonly codeEnd: number;
}

/** Walks along a text together with its statements, which must come in order. */
export class DirectiveReader {
  readonly #lexer: SqlLexer;
  readonly #positions: PositionWalker;
  #more: boolean;

  /** @param position where in its file the text begins. */
  constructor(text: string, position: Position) {
    this.#lexer = new SqlLexer(text);
    this.#positions = new PositionWalker(text, position);
    this.#more = this.#lexer.next();
  }

  /** @param start and end of the statement as the parser gives them. */
  statement(start: number, end: number): Surroundings {
    const lexer = this.#lexer;
    let directives: Directive[] = [];
    for (; this.#more && lexer.start < start; this.#more = lexer.next()) {
      if (!isComment(lexer)) directives = [];
      else if (lexer.kind === "line-comment") {
        const directive = this.#directive();
        if (directive !== null) directives.push(directive);
      }
    }
    let codeEnd = start;
    for (; this.#more && lexer.start < end; this.#more = lexer.next()) {
      if (!isComment(lexer)) codeEnd = Math.min(lexer.end, end);
    }
    return { directives: Object.freeze(directives), codeEnd };
  }

  #directive(): Directive | null {
    const { text, start, end } = this.#lexer;
    const match = DIRECTIVE.exec(text.slice(start, end).trimEnd());
    if (match?.[1] === undefined || !startsLine(text, start)) return null;
    return Object.freeze({ name: match[1], argument: (match[2] ?? "").trim(), ...this.#positions.to(start) });
  }
}
