/** What Godwit sends by itself: the history of what ran, with its COMMIT, and its looks at locks. */
const OWN =
  /^(?:BEGIN ISOLATION LEVEL READ COMMITTED(?: READ ONLY; SET LOCAL lock_timeout\b| READ WRITE$)|SET CONSTRAINTS ALL IMMEDIATE; )/;

/** Whether a query of a session of Godwit's is none of a migration, so that showing it tells nobody anything. */
export function isOwnStatement(query: string): boolean {
  return OWN.test(query);
}
