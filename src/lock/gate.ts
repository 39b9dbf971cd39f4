/** The name of a provider as it stands in the configuration and in `migration_locks`. */
export type LockProviderName = "advisory" | "lease" | "redis";

/** What decides who may try to become the holder of a lock. It is never trusted alone: the token in the database is. */
export interface LockGate {
  readonly name: LockProviderName;
  /**
   * One attempt, never waits for the holder to leave.
   * @returns whether it is ours now; also true when it was ours already.
   * @throws GodwitError when it could not be asked; the attempt may have succeeded all the same, so call `leave`.
   */
  tryEnter(): Promise<boolean>;
  /**
   * Prolongs it. kept: still ours; lost: somebody else has it or it could not be had again; unreachable: could not be
   * asked. What vanished from the gate (flush, failover) is set again if nobody else has it: kept.
   */
  renew(): Promise<"kept" | "lost" | "unreachable">;
  /** Gives it back if it is ours; never throws, bounded in time. */
  leave(): Promise<void>;
  /** Who is inside, as a person reads it, e.g. host and run id; null: nobody or unknown. */
  holder(): Promise<string | null>;
  /** Leaves if it may still be ours, and lets go of the connection; never throws, bounded in time. */
  close(): Promise<void>;
}

/** The gate of a lease: none, since the row of the lock is all there is. */
export const OPEN_GATE: LockGate = {
  name: "lease",
  tryEnter: async () => true,
  renew: async () => "kept",
  leave: async () => undefined,
  holder: async () => null,
  close: async () => undefined,
};
