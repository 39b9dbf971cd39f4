/**
 * The instants at which a run that dies leaves something behind that the next one must cope with, by name. The chaos tests
 * kill a run at each of them; where each stands is asserted by test/architecture/crash-points.test.ts.
 */
export const CRASH_POINTS = [
  /** The gate of the lock lets this run try, as that of a lease lets everybody; nothing else was done. */
  "lock.acquired",
  /** The history is there, in this software's version. */
  "history.upgraded",
  /** The lock is claimed: earlier holders can write no history any more. */
  "lock.token-raised",
  /** No session of an earlier holder is left. */
  "lock.no-earlier-session",
  /** The history names this run as the one that holds the lock. */
  "run.recorded",
  /** A migration's or a step's BEGIN was sent, and its first statements. */
  "transaction.begun",
  /** All statements of a transaction are done; COMMIT was not sent. */
  "transaction.statements-done",
  /** COMMIT was sent; its answer was not read. */
  "transaction.commit-sent",
  /** The server has committed; nobody was told. */
  "transaction.committed",
  /** Whole transactions were sent ahead, COMMIT included; no answer was read. */
  "bulk.sent",
  /** A query of a code migration was sent. */
  "code.running",
  /** The catalog has told what became of a statement that an earlier run began; the ledger does not say it yet. */
  "standalone.judged",
  /** Nothing was written or sent yet for a statement that stands alone. */
  "standalone.before-intent",
  /** Its intent is in the ledger. */
  "standalone.intended",
  /** It was sent to the server. */
  "standalone.under-way",
  /** It is done; the ledger does not say so. */
  "standalone.done",
  /** The ledger says that it is done. */
  "standalone.recorded",
  /** Every step of a migration is done; the history does not say `completed`. */
  "steps.done",
  /** The history says `completed`; nobody was told. */
  "steps.completed",
  /** All is done, or has failed; the outcome of the run is not recorded, and the lock is still held. */
  "lock.giving-back",
  /** The outcome is recorded, and the row of the lock says that it was given back; its gate is not left yet. */
  "lock.given-back",
  /** Anybody may have the lock. */
  "gate.left",
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Told of each point that is passed, and of the migration that runs; null: none does. */
export type CrashHook = (point: CrashPoint, migration: string | null) => void;

let hook: CrashHook | undefined;

/** Says that a point is passed. Does nothing unless a test has registered a hook in this process. */
export function crashPoint(point: CrashPoint, migration: string | null = null): void {
  hook?.(point, migration);
}

/**
 * Has `told` called at every point from now on. For the entry program of the chaos tests alone: nothing that a user can set
 * registers one.
 */
export function onCrashPoint(told: CrashHook): void {
  hook = told;
}
