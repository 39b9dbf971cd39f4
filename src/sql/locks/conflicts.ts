import { LOCK_MODES, type LockMode } from "./types.ts";

/** Which modes keep each other out (PostgreSQL manual 13.3.1, table 13.2). */
const CONFLICTS: Readonly<Record<LockMode, readonly LockMode[]>> = {
  "ACCESS SHARE": ["ACCESS EXCLUSIVE"],
  "ROW SHARE": ["EXCLUSIVE", "ACCESS EXCLUSIVE"],
  "ROW EXCLUSIVE": ["SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"],
  "SHARE UPDATE EXCLUSIVE": LOCK_MODES.slice(3),
  SHARE: LOCK_MODES.filter((mode, at) => at >= 2 && mode !== "SHARE"),
  "SHARE ROW EXCLUSIVE": LOCK_MODES.slice(2),
  EXCLUSIVE: LOCK_MODES.slice(1),
  "ACCESS EXCLUSIVE": LOCK_MODES,
};

/** The modes that another session must not hold while one of this mode is to be had. */
export function conflictsOf(mode: LockMode): readonly LockMode[] {
  return CONFLICTS[mode];
}

/** The stronger of two modes, in the order of the manual; SHARE UPDATE EXCLUSIVE and SHARE keep each other out all the same. */
export function stronger(one: LockMode, other: LockMode): LockMode {
  return LOCK_MODES.indexOf(one) >= LOCK_MODES.indexOf(other) ? one : other;
}

/**
 * Whether reads or writes of others queue up behind a session that waits for the lock: `queueing` is what conflicts with
 * SELECT, INSERT, UPDATE or DELETE; `patient` what conflicts only with its like (CONCURRENTLY, VALIDATE CONSTRAINT).
 */
export function courtesyOf(mode: LockMode): "queueing" | "patient" | "none" {
  if (LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf("SHARE")) return "queueing";
  return mode === "SHARE UPDATE EXCLUSIVE" ? "patient" : "none";
}
