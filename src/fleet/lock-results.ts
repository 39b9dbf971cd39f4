/** Another session or prepared transaction that somebody waits for. */
export interface LockBlocker {
  /** 0: a prepared transaction, which has no session. */
  readonly pid: number;
  readonly applicationName: string | null;
  readonly query: string | null;
}

/** What the session of a lock's holder does now; null parts are those that this role may not see. */
export interface LockActivity {
  readonly pid: number;
  /** As pg_stat_activity has it: `active`, `idle in transaction` … */
  readonly state: string | null;
  /** What it runs, or ran last, of a migration; null as well for statements of Godwit's own. */
  readonly query: string | null;
  /** How long it has been in this state, in milliseconds. */
  readonly stateMs: number | null;
  readonly transactionMs: number | null;
  readonly waitsFor: readonly LockBlocker[];
  /** What keeps a migration out of the queue for a lock, which it looks at again and again; null: nothing that is known. */
  readonly keptOut: {
    readonly migration: string;
    /** As pg_locks has it: `AccessExclusiveLock`. */
    readonly mode: string;
    readonly relation: string;
    /** Sessions that hold it; 0: a prepared transaction. */
    readonly pids: readonly number[];
  } | null;
}

/** How far a holder is, as far as its history and the files at hand tell. */
export interface LockProgress {
  /** Migrations that it has finished in this run. */
  readonly done: number;
  readonly lastDone: string | null;
  /** Pending by the files at hand, the one at work included; null: it does not apply what is pending. */
  readonly remaining: number | null;
  /** What it works on: recorded for one of several steps, else the first that is pending; null: not known. */
  readonly current: string | null;
  /** Steps done of `current` where it has several. */
  readonly stepsDone: number | null;
  readonly steps: number | null;
}

/** Who holds a lock, or held it last. Times are ISO 8601 UTC by the database's clock. */
export interface LockHolderStatus {
  /** null, as all that is recorded: it has the lock and has not said yet who it is. */
  readonly runId: string | null;
  readonly command: string | null;
  readonly osUser: string | null;
  readonly host: string | null;
  readonly backendPid: number | null;
  readonly acquiredAt: string | null;
  readonly heldMs: number | null;
  readonly renewedAt: string | null;
  /** Until when it is leased; null: as long as its session lasts. */
  readonly expiresAt: string | null;
  /** null: it has no session that can be seen. */
  readonly activity: LockActivity | null;
  readonly progress: LockProgress | null;
}

export interface TargetLockStatus {
  readonly target: string;
  readonly stream: string;
  readonly database: string;
  /** stale: its holder is gone and did not give it back; the next run takes it. */
  readonly holding: "held" | "free" | "stale";
  readonly because: string;
  /** null: nobody ever held it. */
  readonly provider: "advisory" | "lease" | "redis" | null;
  readonly token: number | null;
  /** null: it is free. */
  readonly holder: LockHolderStatus | null;
  /** Sessions that queue for it in the server. Runs of Godwit do not: they ask again and again. */
  readonly queue: readonly LockBlocker[];
}

export interface LockStatusResult {
  readonly targets: readonly TargetLockStatus[];
}

export interface LockReleaseResult {
  readonly target: string;
  readonly database: string;
  /** nothing: it was free; tidied: its holder was gone; forced: taken from a holder that lived. */
  readonly released: "nothing" | "tidied" | "forced";
  /** Who held it before; null: nobody did. */
  readonly before: TargetLockStatus;
  /** Sessions that were ended. */
  readonly endedBackends: readonly number[];
}

/** A session, or a prepared transaction, that waits for a lock or is waited for; what this role may not see is null. */
export interface LockTreeNode {
  /** null: a prepared transaction. */
  readonly pid: number | null;
  /** The name of a prepared transaction; null: a session. */
  readonly preparedTransaction: string | null;
  /** 0: a root, which others wait for. */
  readonly depth: number;
  /** Whether it waits for one that stands below it, so that none of them moves. */
  readonly circle: boolean;
  readonly user: string | null;
  readonly application: string | null;
  readonly database: string | null;
  /** As pg_stat_activity has it: `client backend`, `autovacuum worker` … */
  readonly backendType: string | null;
  readonly state: string | null;
  readonly query: string | null;
  /** How long it has been in this state, in milliseconds; of a prepared transaction since it was prepared. */
  readonly stateMs: number | null;
  readonly transactionMs: number | null;
  /** Whether it is a session of Godwit. */
  readonly godwit: boolean;
  readonly waitsFor: {
    /** As pg_locks has it: `AccessExclusiveLock`. */
    readonly mode: string;
    readonly object: string;
    readonly waitedMs: number | null;
    /** The migration that stays out of the queue for it, and looks again and again; null: it stands in the queue. */
    readonly keptOut: string | null;
    readonly pids: readonly number[];
    readonly preparedTransactions: readonly string[];
  } | null;
  /** Of a root: what ends it. */
  readonly remedy: LockRemedy | null;
}

export interface LockRemedy {
  readonly sql: string;
  /** What speaks against it. */
  readonly warnings: readonly string[];
}

export interface LockBlockersResult {
  readonly databases: readonly {
    readonly database: string;
    readonly targets: readonly string[];
    /** Roots first, each followed by those who wait for it; empty: nobody waits for a lock. */
    readonly tree: readonly LockTreeNode[];
  }[];
}
