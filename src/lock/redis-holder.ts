const LONGEST = 200;

/** The value of a lock's key as a person reads it: `host build-7, run 0197…` for a JSON object of such members. */
export function describeValue(value: string): string {
  return oneLine(membersOf(value) ?? value);
}

/** A text that anybody may have written: one line, not too long, nothing that a terminal would obey. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1).toWellFormed()}…` : line;
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
