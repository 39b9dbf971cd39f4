import { GodwitError } from "../core/error.ts";
import { SqlLexer } from "./tokens.ts";

/** Templates that were looked at already: a call in a loop passes the same array each time. */
const sound = new WeakMap<TemplateStringsArray, Set<string>>();

/**
 * Refuses a template whose values could not become parameters where they stand: inside quotes or comments (`'${x}'`
 * would be the text `$1`), or glued to a word or number (`t_${x}` would be the name `t_$1`). Parts of the text, made by
 * `sql` themselves, may be glued, but not be quoted either.
 * @param isPart for each value, whether it is such a part.
 * @throws GodwitError USAGE, saying which value.
 */
export function assertHoles(strings: TemplateStringsArray, isPart: readonly boolean[]): void {
  const shape = isPart.map(Number).join("");
  if (sound.get(strings)?.has(shape) === true) return;
  for (const [index, text] of strings.entries()) {
    // Without a cooked text JavaScript could not read an escape, such as \u or \x alone.
    if ((text as string | undefined) === undefined) {
      throw new GodwitError(
        "USAGE",
        `the template has an escape that JavaScript cannot read: ${strings.raw[index]}`,
        {
          hint: "write the backslash twice",
        },
      );
    }
  }
  const offsets = holes(strings);
  for (const [index, offset] of offsets.entries()) {
    const before = strings[index]!;
    const after = strings[index + 1]!;
    if (isPart[index] !== true && (/[\w$\u0080-\uffff]$/.test(before) || /^[\w$\u0080-\uffff]/.test(after))) {
      throw new GodwitError(
        "USAGE",
        `value ${index + 1} of the query is glued to a word: …${before.slice(-20)}\${…}${after.slice(0, 20)}…`,
        {
          hint: "put a blank between them; for a part of a name use sql.ident(…)",
        },
      );
    }
    if (offset === null) {
      throw new GodwitError(
        "USAGE",
        `value ${index + 1} of the query stands inside quotes or a comment: …${before.slice(-20)}\${…}`,
        {
          hint: "remove the quotes: a value needs none; for a name use sql.ident(…)",
        },
      );
    }
  }
  const shapes = sound.get(strings) ?? new Set();
  sound.set(strings, shapes.add(shape));
}

/** For each hole whether a token of its own stands there, with its offset; null where it is part of another one. */
function holes(strings: TemplateStringsArray): (number | null)[] {
  // A parenthesis is a token wherever it is none of a string's or comment's, whatever stands beside it.
  const text = strings.join("(");
  const tokens = new Set<number>();
  for (const lexer = new SqlLexer(text); lexer.next();) if (lexer.kind === "open") tokens.add(lexer.start);
  let offset = -1;
  return strings.slice(0, -1).map((part) => {
    offset += part.length + 1;
    return tokens.has(offset) ? offset : null;
  });
}
