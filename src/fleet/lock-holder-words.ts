import type { TargetLockStatus } from "./lock-results.ts";

/** Who holds a lock, as the subject of a sentence: `run 25420d980768 of deploy on build-7 (backend 4711)`. */
export function sayLockHolder({ holder }: TargetLockStatus): string {
  const backend = holder?.backendPid ?? null;
  if (holder === null || holder.runId === null) return backend === null ? "somebody" : `backend ${backend}`;
  const by = holder.osUser === null ? "" : ` of ${holder.osUser}`;
  const on = holder.host === null ? "" : ` on ${holder.host}`;
  return `run ${holder.runId.slice(-12)}${by}${on}${backend === null ? "" : ` (backend ${backend})`}`;
}
