import { statfs } from "node:fs/promises";
import { withTemporaryServer } from "../src/postgres/embedded/temporary-server.ts";
import { REPOSITORY } from "./folders.ts";

const MEMORY_FOLDER = "/dev/shm";
const NEEDED_BYTES = 2 * 1024 ** 3;

/**
 * fsync, synchronous_commit and full_page_writes are off already in a temporary server. A disk that waits would
 * hide what a tool itself costs; without it the ratio to psql is at its largest, so this is the harder test.
 * Autovacuum would start at its own times, and SCRAM adds some milliseconds of arithmetic to each connection.
 */
const SETTINGS = { autovacuum: "off", max_wal_size: "4GB", shared_buffers: "512MB" };

/** What the report says about the server. */
export interface ServerFacts {
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Whether its files lie in memory. */
  readonly inMemory: boolean;
}

/** The server as the bench uses it. */
export interface BenchServer {
  /** A postgres:// URL of a database of the server. */
  urlOf(database: string): string;
  readonly facts: ServerFacts;
}

/** Runs work with one throw-away PostgreSQL 18, its files in memory where there is room, and removes it. */
export async function withBenchServer<T>(
  options: { readonly signal: AbortSignal; readonly onProgress: (message: string) => void },
  work: (server: BenchServer) => Promise<T>,
): Promise<T> {
  const inMemory = await hasRoom(MEMORY_FOLDER);
  // The temporary folder is found through TMPDIR; what the bench starts does not inherit it.
  if (inMemory) process.env["TMPDIR"] = MEMORY_FOLDER;
  return withTemporaryServer(
    { ...options, major: 18, project: REPOSITORY, auth: "trust", settings: SETTINGS },
    async (server) => {
      const settings = { ...SETTINGS, fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
      return work({
        urlOf: (database) => {
          const url = new URL(server.conninfo);
          url.pathname = `/${database}`;
          url.searchParams.set("sslmode", "disable");
          return url.href;
        },
        facts: { version: server.version.replace(/-.*/, ""), settings, inMemory },
      });
    },
  );
}

async function hasRoom(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= NEEDED_BYTES;
  } catch {
    return false;
  }
}
