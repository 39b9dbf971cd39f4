import { maskSecrets } from "../core/mask-secrets.ts";

const LONGEST = 500;

/** What a session runs, as it may be shown: on one line, without secrets, cut to half a thousand characters. */
export function shownQuery(query: string | null): string | null {
  if (query === null) return null;
  const line = maskSecrets(query).replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
