import { GodwitError } from "../core/error.ts";
import { assertPoolable } from "../execute/poolable.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Target } from "./target.ts";

/**
 * Refuses, before anything runs, what cannot go through a pooler where there is no way past it (law 10).
 * @throws GodwitError POOLER_NEEDS_DIRECT_URL.
 */
export function assertReachable(
  target: Target,
  facts: ServerFacts,
  migrations: readonly PlannedMigration[],
): void {
  if (facts.pooled && target.direct === null) assertPoolable(migrations);
}

/**
 * The advisory lock lives in the session, so it must be our own (law 10).
 * @throws GodwitError POOLER_NEEDS_DIRECT_URL.
 */
export function assertOwnSession(facts: ServerFacts): void {
  if (!facts.pooled) return;
  throw new GodwitError(
    "POOLER_NEEDS_DIRECT_URL",
    "lock.provider is advisory, and the connection goes through a pooler, which hands sessions to others between transactions",
    {
      hint:
        "let Godwit choose: lock: { provider: auto }\n" +
        "or name the server itself: direct_url in the configuration, or --direct-url postgresql://user@server:5432/database",
    },
  );
}
