import type { LockHolderStatus, TargetLockStatus } from "./lock-results.ts";

/** Who holds a lock, as the subject of a sentence: `run 25420d980768 of deploy@build-7 (backend 4711)`. */
export function sayLockHolder({ holder }: TargetLockStatus): string {
  const backend = holder?.backendPid ?? null;
  if (holder === null || holder.runId === null) return backend === null ? "somebody" : `backend ${backend}`;
  return `run ${holder.runId.slice(-12)}${byWhom(holder)}${backend === null ? "" : ` (backend ${backend})`}`;
}

function byWhom({ osUser, host }: LockHolderStatus): string {
  if (osUser === null && host === null) return "";
  return ` of ${osUser ?? ""}${host === null ? "" : `@${host}`}`;
}
