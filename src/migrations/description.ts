/**
 * What a migration is called where it says nothing itself: its id without the leading number and with spaces for underscores.
 * `20260101000000_add_users` → `add users`.
 */
export function describeId(id: string): string {
  const words = id
    .replace(/^[vV]?\d+(?:[._-]\d+)*(?:[._\s-]+|$)/, "")
    .replaceAll(/[_\s-]+/g, " ")
    .trim();
  return words === "" ? id : words;
}
