import { MEASURED_ON } from "./lock-modes.ts";
import { courtesyOf } from "./conflicts.ts";
import { modeOf } from "./mode-of.ts";
import type { LockRequest } from "./types.ts";

/** These first wait until nobody uses what they are about to lock strongly; REFRESH … CONCURRENTLY is none of them. */
const PATIENT = /^(?!REFRESH).* CONCURRENTLY$/;

/** Whether others queue up behind a session that waits for this lock, on any version of the server. */
export function mightQueue(request: LockRequest): boolean {
  if (PATIENT.test(request.form)) return false;
  return MEASURED_ON.some((major) => {
    const mode = modeOf(request, major);
    return mode !== null && courtesyOf(mode) === "queueing";
  });
}
