const MAX_SLUG = 80;

/** Latin letters that Unicode does not take apart into a plain letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ħ: "h",
  ı: "i",
};
const ANY_LETTER = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");

/**
 * Makes the readable part of an id from any text: lower case ASCII letters and digits joined by underscores, at most 80 characters.
 * `AddUserIndex` and `add user-index` both give `add_user_index`; marks are dropped (`é` → `e`).
 * @returns an empty string when the text has no letter or digit that ASCII knows.
 */
export function slugOf(text: string): string {
  return text
    .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, "$1_$2")
    .toLowerCase()
    .replaceAll(ANY_LETTER, (letter) => LETTERS[letter]!)
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "_")
    .slice(0, MAX_SLUG + 1)
    .replace(/^_+/, "")
    .slice(0, MAX_SLUG)
    .replace(/_+$/, "");
}
