import type { LockConfig } from "../config/types.ts";
import type { LockProviderName } from "../lock/gate.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Target } from "./target.ts";

/** Whether the way to a target leads through something that shares sessions: found by itself, or told by `direct_url`. */
export function isShared(target: Target, facts: ServerFacts): boolean {
  return facts.pooled || target.direct !== null;
}

/** The provider that a run uses on a target. */
export function providerFor(lock: LockConfig, target: Target, facts: ServerFacts): LockProviderName {
  if (lock.provider !== "auto") return lock.provider;
  return isShared(target, facts) ? "lease" : "advisory";
}
