import { createGodwit, type Godwit, type GodwitEvent, type Run } from "../../../src/index.ts";
import type { LockConfig } from "../../../src/config/types.ts";
import { Project as CliProject } from "../../e2e/cli-harness.ts";
import type { TestDatabase } from "../../support/postgres.ts";
import type { Project } from "../../support/project.ts";
import { startRedis, type RedisServer } from "../../support/redis.ts";

/** What a suite runs for each provider of the lock. */
export type Provider = LockConfig["provider"];

/** A lease short enough for a test to see it end, long enough for a busy machine to renew it. */
const LEASE_MS = 3000;

/** The providers, and the Redis that one of them needs; started when first asked for. */
export class Providers {
  #redis: Promise<RedisServer & AsyncDisposable> | null = null;

  redis(): Promise<RedisServer> {
    return (this.#redis ??= startRedis());
  }

  async stop(): Promise<void> {
    await (await this.#redis)?.[Symbol.asyncDispose]();
  }

  async configOf(provider: Provider): Promise<LockConfig> {
    const redis = provider === "redis" ? (await this.redis()).url : null;
    return { provider, redis, leaseMs: LEASE_MS };
  }

  /** A run on a project's database with that provider. */
  async open(project: Project, provider: Provider): Promise<Godwit> {
    const { config } = await project.open();
    return createGodwit({ config: { ...config, lock: await this.configOf(provider) }, env: {} });
  }

  /** The same as processes of the command line. */
  async commandLine(
    files: Readonly<Record<string, string>>,
    database: TestDatabase,
    provider: Provider,
  ): Promise<CliProject> {
    const { redis } = await this.configOf(provider);
    const lock = { provider, lease: `${LEASE_MS}ms`, ...(redis === null ? {} : { redis }) };
    const migrations = Object.entries(files).map(([name, text]) => [`migrations/${name}`, text]);
    return new CliProject(
      { ...Object.fromEntries(migrations), "godwit.config.json": JSON.stringify({ lock }) },
      { DATABASE_URL: database.url },
    );
  }
}

/** Waits until a run tells of something. */
export async function told<T extends GodwitEvent["type"]>(
  run: Run<unknown>,
  type: T,
): Promise<Extract<GodwitEvent, { type: T }>> {
  for await (const event of run) if (event.type === type) return event as Extract<GodwitEvent, { type: T }>;
  throw new Error(`it ended without telling ${type}`);
}

/** The row of the lock of the only stream. */
export async function lockRow(database: TestDatabase): Promise<{
  token: number;
  provider: string;
  given_back: boolean;
  leased: boolean;
  backend_pid: number | null;
}> {
  const [row] = await database.query<Awaited<ReturnType<typeof lockRow>>>(
    `SELECT token::int, provider, expires_at IS NOT NULL AND lease_ms IS NULL AS given_back,
       lease_ms IS NOT NULL AND expires_at > clock_timestamp() AS leased, backend_pid FROM godwit.migration_locks`,
  );
  return row!;
}
