import { literal } from "../sql/quote.ts";

/** The beginning of a query that is shown in a line of text, in characters. */
const SHOWN = 80;

/** As `maskSecrets`, in the server's regular expressions (manual 9.7.3). */
const SECRETS: readonly (readonly [secret: string, shown: string])[] = [
  [String.raw`(\mpassword\s+)(?:e|u&)?(?:''[^']+''|'(?:[^']|'')*'?)`, String.raw`\1'***'`],
  [String.raw`(\mpassword\s*=\s*)(?:\\?'(?:[^'\\]|\\.)*\\?'|[^\s'",;)]+)`, String.raw`\1***`],
  [String.raw`(\w+://[^\s:@/']*:)[^\s@/']+@`, String.raw`\1***@`],
];

/** What the server shows in place of a query to a role that may not see it, and what a person is told then. */
const HIDDEN = "<insufficient privilege>";
const IS_HIDDEN = "its query is hidden from this role";

/**
 * The beginning of a query of pg_stat_activity as it may be shown, of an SQL expression: without secrets, which are taken out before
 * it is cut, since half of one is not known as such, and without the semicolon at its end. A query that this role may not see is
 * said to be hidden.
 */
export function maskedQuery(query: string): string {
  const masked = SECRETS.reduce(
    (text, [secret, shown]) =>
      `pg_catalog.regexp_replace(${text}, ${literal(secret)}, ${literal(shown)}, 'gi')`,
    query,
  );
  const shown = `pg_catalog.rtrim(pg_catalog.left(${masked}, ${SHOWN}), ${literal("; \t\r\n")})`;
  return `CASE ${query} WHEN ${literal(HIDDEN)} THEN ${literal(IS_HIDDEN)} ELSE ${shown} END`;
}
