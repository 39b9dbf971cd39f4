const LONGEST = 200;

/**
 * The value of a lock's key as a person reads it: `host build-7, run 0197…` for a JSON object of such members, else
 * the text itself. Anybody may have written it: one line, not too long, nothing that a terminal would obey.
 */
export function describeValue(value: string): string {
  const text = (membersOf(value) ?? value).replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1).toWellFormed()}…` : text;
}

function membersOf(value: string): string | null {
  let data: unknown;
  try {
    data = JSON.parse(value);
  } catch {
    return null;
  }
  if (typeof data !== "object" || data === null || Array.isArray(data)) return null;
  const members = Object.entries(data).filter(
    ([, member]) => typeof member === "string" || typeof member === "number",
  );
  return members.length === 0 ? null : members.map(([name, member]) => `${name} ${member}`).join(", ");
}
