import * as z from "zod";
import { STREAM_NAME } from "./defaults.ts";

const DURATION = "a duration in PostgreSQL's form: 500ms, 2s, 5min, 1h";
const text = z.string().min(1);

const databaseObject = z.strictObject({
  host: text.optional().describe("Host name, address, or the folder of a Unix socket"),
  port: z
    .union([z.int().min(1).max(65_535), text])
    .optional()
    .describe("Port; 5432 when not given"),
  name: text.describe("Name of the database"),
  user: text.optional().describe("Role to connect as"),
  password: z.string().optional().describe('Best a variable: "${DB_PASSWORD}"'),
});

const database = z
  .union([text, databaseObject])
  .describe(
    'A connection string of libpq, its parts, or "embedded" for a PostgreSQL of the project\'s own; default: DATABASE_URL, PG*, DB_* or DATABASE_* of the environment',
  );
const directUrl = z
  .union([text, databaseObject])
  .describe("Reaches the same database past a connection pooler");
const searchPath = text.describe("search_path while the stream's migrations run");

const stream = z.strictObject({
  migrations: text.describe("Folder of the stream's migrations, relative to this file"),
  database: database.optional(),
  direct_url: directUrl.optional(),
  after: z.array(text).optional().describe("Streams that go first"),
  search_path: searchPath.optional(),
});

const lock = z.strictObject({
  provider: z
    .enum(["auto", "advisory", "lease", "redis"])
    .optional()
    .describe(
      "How runs keep out of each other's way; auto, the default: advisory on a direct connection, lease behind a pooler",
    ),
  redis: z
    .string()
    .optional()
    .describe('URL of the Redis, for provider redis alone; best a variable: "${REDIS_URL:-}"'),
  lease: text
    .optional()
    .describe(`How long a lock of lease or redis outlives its last renewal, ${DURATION}; default: 15s`),
});

/** A duration that may be 0. */
const noneOr = (what: string) =>
  z
    .union([z.literal(0), text])
    .optional()
    .describe(what);

const safety = z.strictObject({
  lock_timeout: text
    .optional()
    .describe(`How long a statement queues for a lock, ${DURATION}; default: 500ms`),
  max_blocking: noneOr(
    `How long others may wait for a migration before it is cancelled, ${DURATION}; 0: no limit; default: 2s`,
  ),
  patient_timeout: noneOr(
    `How long CONCURRENTLY and VALIDATE CONSTRAINT may take, ${DURATION}; 0: no limit; default: 1h`,
  ),
  cancel_blockers_after: noneOr(
    `Cancel sessions that keep a migration from a lock for so long, ${DURATION}; 0, the default: never`,
  ),
  terminate_blockers_after: noneOr(
    `End sessions that keep a migration from a lock for so long, ${DURATION}; 0, the default: never`,
  ),
  statement_timeout: z
    .union([z.literal(0), text])
    .optional()
    .describe(`Longest statement, ${DURATION}; 0, the default: no limit`),
  tolerate_existing: z
    .boolean()
    .optional()
    .describe(
      "Whether files may find their objects there already, where these equal what the file makes; default: false",
    ),
  refuse: z.array(z.string()).max(0).optional(),
  backup: z.literal("never").optional(),
});

const history = z.strictObject({
  schema: text.optional().describe("Schema of the history in each target database; default: godwit"),
});

/** The configuration file, as written. Unknown keys are errors at every level. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where an editor finds this schema; not read"),
    streams: z
      .record(z.string().regex(STREAM_NAME), stream)
      .optional()
      .describe("The streams by name; leave it out for a single one"),
    migrations: text
      .optional()
      .describe("For a single stream: folder of its migrations; default: migrations"),
    database: database.optional(),
    direct_url: directUrl.optional(),
    search_path: searchPath.optional(),
    lock: lock.optional(),
    safety: safety.optional(),
    history: history.optional(),
  })
  .describe("Configuration of Godwit");

export type ConfigFile = z.output<typeof configSchema>;
export type DatabaseEntry = z.output<typeof database>;

/** The keys of each level, for suggestions: what follows a path, and where each level stands in words. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  const [first, , third] = path;
  const last = path.at(-1);
  if (path.length === 0) return Object.keys(configSchema.shape);
  if (last === "database" || last === "direct_url") return Object.keys(databaseObject.shape);
  if (first === "streams" && third === undefined) return Object.keys(stream.shape);
  return KEYS_OF.get(`under ${String(first)}`) ?? [];
}

/** Where else a key may belong, by the words that say so. */
export const KEYS_OF: ReadonlyMap<string, readonly string[]> = new Map([
  ["under safety", Object.keys(safety.shape)],
  ["under lock", Object.keys(lock.shape)],
  ["under history", Object.keys(history.shape)],
  ["under streams.<name>", Object.keys(stream.shape)],
  ["at the top", Object.keys(configSchema.shape)],
]);

/** The JSON Schema (draft 2020-12) of the file. */
export function toJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" });
}
