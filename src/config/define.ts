/** A connection string of libpq, its parts, or `embedded` for a PostgreSQL of the project's own. */
export type DatabaseInput =
  | string
  | {
      /** Host name, address, or the folder of a Unix socket. */
      readonly host?: string | undefined;
      readonly port?: number | string | undefined;
      readonly name: string;
      readonly user?: string | undefined;
      readonly password?: string | undefined;
    };

/** One stream of a configuration. */
export interface StreamInput {
  /** Folder of migrations, relative to the configuration file. */
  readonly migrations: string;
  /** Default: `DATABASE_URL`, `PG*`, or `DB_*` / `DATABASE_*` of the environment. */
  readonly database?: DatabaseInput | undefined;
  /** Reaches the same database past a connection pooler. */
  readonly direct_url?: DatabaseInput | undefined;
  /** Names of streams that go first. */
  readonly after?: string[] | undefined;
  /** search_path while the stream's migrations run. */
  readonly search_path?: string | undefined;
}

/**
 * What a `godwit.config.ts` exports by default. In every text `${VAR}` and `${VAR:-default}` stand for variables
 * of the environment, read when the key is used. Durations are `500ms`, `2s`, `5min`, `1h`.
 */
export interface GodwitConfig {
  readonly $schema?: string | undefined;
  /** The streams by name; for a single one use `migrations` and `database` beside it instead. */
  readonly streams?: Record<string, StreamInput> | undefined;
  /** For a single stream; default: `migrations`. */
  readonly migrations?: string | undefined;
  readonly database?: DatabaseInput | undefined;
  readonly direct_url?: DatabaseInput | undefined;
  readonly search_path?: string | undefined;
  readonly lock?:
    | {
        /** How runs keep out of each other's way; `auto`, the default: advisory, or lease behind a pooler. */
        readonly provider?: "auto" | "advisory" | "lease" | "redis" | undefined;
        /** URL of the Redis, for provider `redis` alone. */
        readonly redis?: string | undefined;
        /** How long a lock of `lease` or `redis` outlives its last renewal; default `15s`, at least `1s`. */
        readonly lease?: string | undefined;
      }
    | undefined;
  readonly safety?:
    | {
        /** How long a statement queues for a lock; default `500ms`. */
        readonly lock_timeout?: string | undefined;
        /** How long others may wait for a migration before it is cancelled; `0`: no limit; default `2s`. */
        readonly max_blocking?: string | 0 | undefined;
        /** How long CONCURRENTLY and VALIDATE CONSTRAINT may take; `0`: no limit; default `1h`. */
        readonly patient_timeout?: string | 0 | undefined;
        /** Cancel sessions that keep a migration from a lock for so long; `0`, the default: never. */
        readonly cancel_blockers_after?: string | 0 | undefined;
        /** End sessions that keep a migration from a lock for so long; `0`, the default: never. */
        readonly terminate_blockers_after?: string | 0 | undefined;
        /** Longest statement; `0`, the default: no limit. */
        readonly statement_timeout?: string | 0 | undefined;
        /** Whether files may find their objects there already, where these equal what the file makes; default false. */
        readonly tolerate_existing?: boolean | undefined;
        readonly refuse?: [] | undefined;
        readonly backup?: "never" | undefined;
      }
    | undefined;
  readonly history?:
    | {
        /** Schema of the history in each target database; default `godwit`. */
        readonly schema?: string | undefined;
      }
    | undefined;
}

/** Returns its argument: gives the default export of a `godwit.config.ts` its type. */
export function defineConfig(config: GodwitConfig): GodwitConfig {
  return config;
}
