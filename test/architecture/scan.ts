/** A text with everything that is not code made blank: every position stays what it was. */
export interface Scanned {
  /** The source with comments and the contents of texts and regular expressions replaced by spaces. */
  readonly code: string;
  /** The source with comments alone replaced. */
  readonly withoutComments: string;
}

const BEFORE_REGEX =
  /(?:^|[=(,:;!&|?{}[+\-*%<>~^\n]|\b(?:return|typeof|case|in|of|void|throw|yield|await|else|do))\s*$/;

/**
 * Tells code from comments and texts in TypeScript. Template texts are blank, the expressions in them are code.
 * Whether a slash begins a regular expression is told by what stands before it, which is right for formatted code.
 */
export function scan(source: string): Scanned {
  const code = source.split("");
  const commentless = [...code];
  /** For each open template: how many braces are open in its current expression. */
  const templates: number[] = [];
  let at = 0;

  const endOfTemplateText = (from: number): number => {
    for (let end = from; end < source.length; end++) {
      if (source[end] === "\\") end += 1;
      else if (source[end] === "`" || source.startsWith("${", end)) return end;
    }
    return source.length;
  };
  const templateText = (from: number): void => {
    const end = endOfTemplateText(from);
    blank(code, from, end);
    if (source[end] === "`") {
      at = end + 1;
    } else {
      templates.push(0);
      at = end + 2;
    }
  };
  const endOfLiteral = (from: number, closing: string): number => {
    let inClass = false;
    for (let end = from; end < source.length; end++) {
      const char = source[end]!;
      if (char === "\\") end += 1;
      else if (closing === "/" && char === "[") inClass = true;
      else if (closing === "/" && char === "]") inClass = false;
      else if ((char === closing && !inClass) || char === "\n") return end;
    }
    return source.length;
  };

  while (at < source.length) {
    const char = source[at]!;
    if (source.startsWith("//", at) || source.startsWith("/*", at)) {
      const close = source.startsWith("//", at) ? source.indexOf("\n", at) : source.indexOf("*/", at + 2) + 2;
      const end = close < at + 2 ? source.length : close;
      blank(code, at, end);
      blank(commentless, at, end);
      at = end;
    } else if (char === '"' || char === "'") {
      const end = endOfLiteral(at + 1, char);
      blank(code, at + 1, end);
      at = end + 1;
    } else if (char === "`") {
      templateText(at + 1);
    } else if (char === "/" && BEFORE_REGEX.test(code.slice(Math.max(0, at - 40), at).join(""))) {
      const end = endOfLiteral(at + 1, "/");
      blank(code, at + 1, end);
      at = end + 1;
    } else if (char === "{" && templates.length > 0) {
      templates.push(templates.pop()! + 1);
      at += 1;
    } else if (char === "}" && templates.length > 0) {
      const open = templates.pop()!;
      if (open === 0) {
        templateText(at + 1);
      } else {
        templates.push(open - 1);
        at += 1;
      }
    } else {
      at += 1;
    }
  }
  return { code: code.join(""), withoutComments: commentless.join("") };
}

function blank(characters: string[], from: number, to: number): void {
  for (let at = from; at < to; at++) if (characters[at] !== "\n") characters[at] = " ";
}
