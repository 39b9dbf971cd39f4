import type { Statement } from "../types.ts";

/** Whether a statement changes settings, be it for its transaction alone, whatever else it does. */
export function setsSomething({
  sessionEffect,
  sql,
  tag,
}: Pick<Statement, "sessionEffect" | "sql" | "tag">): boolean {
  return sessionEffect === "set" || tag === "SET" || /\bset_config\b/i.test(sql);
}
