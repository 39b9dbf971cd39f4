import { similar } from "../core/similar.ts";

/** `did you mean "up"?`, or undefined where nothing comes near. */
export function suggestion(typed: string, words: Iterable<string>): string | undefined {
  const found = similar(typed, words);
  if (found.length === 0) return undefined;
  return `did you mean ${found.map((word) => `\`${word}\``).join(" or ")}?`;
}
