import { isKeyword } from "./keywords.ts";
import { invalid } from "./setting.ts";
import { unknownKeyword } from "./unknown-keyword.ts";

/** What C's isspace takes for white space; JavaScript's \s would split at a no-break space too. */
const SPACE = /[ \t\n\v\f\r]/;
const WHERE = "the connection string";

/**
 * Reads libpq's keyword/value form (manual 32.1.1.1): `host=localhost password='it\'s'`. A later keyword wins.
 * Errors name positions rather than text, since a password with a space in it is split in the wrong place.
 * @throws GodwitError CONNECTION_STRING_INVALID, CONNECTION_OPTION_UNSUPPORTED
 */
export function parseKeyValue(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let at = 0;
  const skipSpace = (): void => {
    while (at < text.length && SPACE.test(text[at]!)) at++;
  };

  for (skipSpace(); at < text.length; skipSpace()) {
    const start = at;
    while (at < text.length && text[at] !== "=" && !SPACE.test(text[at]!)) at++;
    const keyword = text.slice(start, at);
    skipSpace();
    if (text[at] !== "=") {
      throw invalid(
        `${WHERE} has a word without "=" at character ${start + 1}`,
        "write keyword=value, and quote values that have spaces: password='two words'",
      );
    }
    at++;
    skipSpace();
    const value = text[at] === "'" ? quoted() : unquoted();
    // requiressl was dropped from the manual long ago, but libpq still translates it.
    if (keyword === "requiressl") values.set("sslmode", value.startsWith("1") ? "require" : "prefer");
    else if (isKeyword(keyword)) values.set(keyword, value);
    // After a password without quotes, what looks like a keyword may be the rest of it: not to be shown.
    else throw unknownKeyword([...values.keys()].at(-1)?.includes("password") ? "" : keyword, WHERE);
  }
  return values;

  function unquoted(): string {
    let value = "";
    while (at < text.length && !SPACE.test(text[at]!)) {
      if (text[at] === "\\") at++;
      value += text[at++] ?? "";
    }
    return value;
  }

  function quoted(): string {
    const start = at;
    let value = "";
    for (at++; text[at] !== "'"; at++) {
      if (text[at] === "\\") at++;
      const character = text[at];
      if (character === undefined) {
        throw invalid(
          `${WHERE} has a quoted value that does not end, from character ${start + 1}`,
          "close it with ' and write ' within it as \\'",
        );
      }
      value += character;
    }
    at++;
    return value;
  }
}
