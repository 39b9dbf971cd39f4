/**
 * Why a name cannot be that of the history's schema, or null when it can.
 * PostgreSQL cuts names after 63 bytes and keeps `pg_` for itself (manual 4.1.1 and 5.10.6).
 */
export function historySchemaFault(name: string): string | null {
  if (name.trim() === "") return "is empty";
  if (Buffer.byteLength(name) > 63) return "is longer than the 63 bytes PostgreSQL keeps of a name";
  if (name.includes("\0")) return "has a character that no name can have";
  if (name.startsWith("pg_") || name === "information_schema") return `"${name}" belongs to PostgreSQL`;
  return null;
}
