import { MEASURED_MODES, MEASURED_ON } from "./lock-modes.ts";
import { LOCK_MODES, type LockMode, type LockRequest, type Reach } from "./types.ts";

const ABBREVIATIONS: Readonly<Record<string, LockMode>> = {
  AS: "ACCESS SHARE",
  RS: "ROW SHARE",
  RE: "ROW EXCLUSIVE",
  SUE: "SHARE UPDATE EXCLUSIVE",
  S: "SHARE",
  SRE: "SHARE ROW EXCLUSIVE",
  E: "EXCLUSIVE",
  AE: "ACCESS EXCLUSIVE",
};

/** How the table of modes writes a mode. */
export function abbreviated(mode: LockMode): string {
  return Object.keys(ABBREVIATIONS)[LOCK_MODES.indexOf(mode)]!;
}

/** How the table of modes names what a request of a form means. */
export function roleOf(part: LockRequest["part"], reach: Reach): string {
  return part === "subject" ? reach : `other ${reach}`;
}

/** Those of `reaches` that a form locks on any version. */
export function lockedReaches(
  form: string,
  part: LockRequest["part"],
  reaches: readonly Reach[],
): readonly Reach[] {
  const modes = MEASURED_MODES[form];
  if (modes === undefined) return [];
  return reaches.filter((reach) => modes[roleOf(part, reach)] !== undefined);
}

/**
 * The strongest mode that a request's lock has on a server of this major version, as measured; a version outside of the
 * measured ones is taken for the nearest of them. null: that version takes none.
 */
export function modeOf(
  { form, part, reach }: Pick<LockRequest, "form" | "part" | "reach">,
  major: number,
): LockMode | null {
  const modes = MEASURED_MODES[form]?.[roleOf(part, reach)]?.split(" ");
  if (modes === undefined) return null;
  if (modes.length === 1) return ABBREVIATIONS[modes[0]!] ?? null;
  const at = Math.min(Math.max(major - MEASURED_ON[0]!, 0), MEASURED_ON.length - 1);
  return ABBREVIATIONS[modes[at]!] ?? null;
}
