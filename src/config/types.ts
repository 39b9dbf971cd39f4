/** Where a database is, before variables are expanded: expansion happens only when the key is used. */
export type DatabaseSource =
  | { readonly kind: "string"; readonly value: string; readonly key: string }
  | {
      readonly kind: "object";
      readonly host: string | null;
      readonly port: string | null;
      readonly name: string | null;
      readonly user: string | null;
      readonly password: string | null;
      readonly key: string;
    }
  /** `DATABASE_URL`, `PG*`, or `DB_*` / `DATABASE_*` of the environment, in this order. */
  | { readonly kind: "environment" }
  | { readonly kind: "embedded" };

export interface StreamConfig {
  readonly name: string;
  /** Absolute path of the folder of migrations. */
  readonly migrations: string;
  /** Names of streams that go first. */
  readonly after: readonly string[];
  readonly database: DatabaseSource;
  /** Where sessions of our own can be had when `database` is a pooler; null: none given. */
  readonly directUrl: DatabaseSource | null;
  readonly searchPath: string | null;
}

export interface SafetyConfig {
  readonly lockTimeoutMs: number;
  /** 0: none. */
  readonly statementTimeoutMs: number;
  /** How long others may wait for a transaction of a migration; 0: no limit. */
  readonly maxBlockingMs: number;
  /** How long CONCURRENTLY and VALIDATE CONSTRAINT may take; 0: no limit. */
  readonly patientTimeoutMs: number;
  /** After how long sessions that are in the way are cancelled; 0: never. */
  readonly cancelBlockersAfterMs: number;
  /** After how long sessions that are in the way are ended; 0: never. */
  readonly terminateBlockersAfterMs: number;
  /** Whether files that say nothing of it may find their objects there already, if they equal what the file makes. */
  readonly tolerateExisting: boolean;
}

export interface LockConfig {
  /** `auto`: advisory on a connection of its own, lease behind a pooler; never redis. */
  readonly provider: "auto" | "advisory" | "lease" | "redis";
  /** URL of the Redis before variables are expanded (`redisUrl` does, when a run needs it); null: none given. */
  readonly redis: string | null;
  /** How long a lease, or a key in Redis, outlives its last renewal. */
  readonly leaseMs: number;
}

/** The whole configuration: validated once, trusted after. */
export interface Config {
  /** Absolute folder that relative paths and `.godwit/` resolve against. */
  readonly root: string;
  /** The file it came from; null when the defaults and the environment made it. */
  readonly file: string | null;
  /** In the order they go: a stream stands behind those its `after` names. */
  readonly streams: readonly StreamConfig[];
  /** Name of the schema that holds the history. */
  readonly historySchema: string;
  readonly lock: LockConfig;
  readonly safety: SafetyConfig;
  /** The environment that `${VAR}` and the connection variables are read from. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * How to reach a database, in libpq's terms: a connection string, or parameters by keyword; neither means that
 * the `PG*` variables and libpq's defaults say everything. What is not given is left to libpq's rules.
 */
export type DatabaseParameters =
  | { readonly conninfo?: string; readonly parameters?: Readonly<Record<string, string>> }
  | { readonly embedded: true };
