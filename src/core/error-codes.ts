/** One entry of the error catalogue: how the process ends, and what the code means in one line. */
export interface ErrorCodeEntry {
  /** Exit status of the command line when this error ends it. */
  readonly exit: number;
  readonly summary: string;
}

/**
 * Every error code with its exit status. Codes are stable: scripts may match on them.
 * Each has a page `docs/errors/<CODE>.md`; a test compares both lists.
 */
export const ERROR_CODES = {
  MIGRATION_FAILED: {
    exit: 1,
    summary: "A statement of a migration failed and its transaction was rolled back.",
  },
  OBJECT_LOCK_TIMEOUT: {
    exit: 1,
    summary: "A statement could not get a lock on an object it changes, in all its attempts.",
  },
  BLOCKED_OTHERS: {
    exit: 1,
    summary: "Others waited too long for a migration: it was cancelled and rolled back.",
  },
  OBJECT_DIFFERS: {
    exit: 1,
    summary: "What a tolerant migration would make is there already and differs.",
  },
  OBJECT_NOT_COMPARABLE: {
    exit: 1,
    summary: "What a tolerant migration would make is there already and cannot be compared.",
  },
  TIMEOUT: { exit: 1, summary: "The command ran longer than --timeout." },
  CONNECTION_LOST: { exit: 1, summary: "The connection to the database ended while work was going on." },
  PERMISSION_DENIED: { exit: 1, summary: "The database role may not do what was asked." },
  INTERNAL: { exit: 1, summary: "A defect of Godwit itself." },

  USAGE: { exit: 2, summary: "The command line could not be understood." },
  CONFIG_INVALID: { exit: 2, summary: "The configuration is malformed or contradicts itself." },
  CONFIG_NOT_FOUND: { exit: 2, summary: "The configuration file that was named does not exist." },
  VARIABLE_UNSET: { exit: 2, summary: "The configuration uses an environment variable that is not set." },
  DATABASE_NOT_CONFIGURED: { exit: 2, summary: "Nothing says which database to migrate." },
  CONNECTION_STRING_INVALID: { exit: 2, summary: "The connection string or a PG* variable is malformed." },
  CONNECTION_OPTION_UNSUPPORTED: {
    exit: 2,
    summary: "A libpq connection option is used that Godwit does not support.",
  },
  MIGRATIONS_NOT_FOUND: { exit: 2, summary: "The folder of migrations is missing, unreadable or empty." },
  MIGRATION_MALFORMED: { exit: 2, summary: "One or more migration files cannot be understood." },
  MIGRATION_FOREIGN_FORMAT: { exit: 2, summary: "The files are written for another migration tool." },
  MIGRATION_UNKNOWN: { exit: 2, summary: "No migration of that id exists." },
  MIGRATION_EXISTS: { exit: 2, summary: "A file of that name exists already." },
  GRAPH_CYCLE: { exit: 2, summary: "Migrations require each other in a circle." },
  GRAPH_UNKNOWN_REQUIREMENT: { exit: 2, summary: "A migration requires one that does not exist." },
  GRAPH_UNMET_REQUIREMENT: {
    exit: 2,
    summary: "The selection leaves out a migration that a selected one requires.",
  },
  OUT_OF_ORDER: {
    exit: 2,
    summary: "A pending migration is older than one that is applied, and does not say what it requires.",
  },
  STREAM_UNKNOWN: { exit: 2, summary: "No stream of that name is configured." },
  HISTORY_TOO_NEW: {
    exit: 2,
    summary: "The history was written by a newer Godwit that this one must not write after.",
  },
  HISTORY_FOREIGN: { exit: 2, summary: "The schema of the history exists but holds something else." },
  POOLER_NEEDS_DIRECT_URL: {
    exit: 2,
    summary: "The connection goes through a pooler and the work needs a session of its own.",
  },
  STATEMENT_NEEDS_SESSION: {
    exit: 2,
    summary: "A file uses session state that cannot be restored when its steps resume.",
  },
  EMBEDDED_UNAVAILABLE: { exit: 2, summary: "The embedded PostgreSQL cannot be installed or started here." },
  SERVER_UNSUPPORTED: { exit: 2, summary: "The server is older than the oldest supported PostgreSQL." },

  PENDING: { exit: 3, summary: "Migrations are pending." },

  LOCK_BUSY: { exit: 4, summary: "Another run held Godwit's lock for all of --lock-wait." },
  LOCK_LOST: { exit: 4, summary: "Godwit's lock was taken over by another run." },

  CHECKSUM_MISMATCH: { exit: 5, summary: "An applied migration's file was edited since." },
  LOG_CHAIN_BROKEN: { exit: 5, summary: "The log of the history was altered." },

  IRREVERSIBLE: { exit: 6, summary: "A migration has no way down." },

  PARTIAL_FAILURE: { exit: 7, summary: "Part of the fleet failed." },

  DATABASE_UNREACHABLE: { exit: 8, summary: "The database could not be reached in time." },
  REDIS_UNREACHABLE: { exit: 8, summary: "The Redis of the lock could not be reached in time, or refused." },

  NEEDS_REPAIR: { exit: 9, summary: "Only a person can decide what state a migration is in." },

  INTERRUPTED: { exit: 130, summary: "The command was interrupted; the state is consistent." },
  TERMINATED: { exit: 143, summary: "The command was told to end; the state is consistent." },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The exit status that belongs to an error code. */
export function exitStatusOf(code: ErrorCode): number {
  return ERROR_CODES[code].exit;
}
