import { cpSync } from "node:fs";
import { chmod, chown, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { launchServer, type LaunchedServer } from "../../src/postgres/embedded/launch.ts";
import { processRuns } from "../../src/postgres/embedded/postmaster-file.ts";
import { handOver } from "../../src/postgres/embedded/server-files.ts";
import { serverUser } from "../../src/postgres/embedded/server-user.ts";
import { startTemporaryServer } from "../../src/postgres/embedded/temporary-server.ts";
import { startServer, testMajor } from "./server.ts";

export type HowToStop = "fast" | "immediate";

/** A server of a test's own that goes away and comes back on the same port and data. */
export interface RestartableServer {
  readonly conninfo: string;
  readonly port: number;
  /** By pg_ctl's words: `fast` ends every session (57P01), `immediate` is a crash. Returns when its process is gone. */
  stop(how: HowToStop): Promise<void>;
  /** @param standby in recovery for ever, until somebody promotes it. */
  start(options?: {
    readonly standby?: boolean;
    readonly settings?: Readonly<Record<string, string>>;
  }): Promise<void>;
  restart(how: HowToStop): Promise<void>;
  /** Starts another server on a port and a copy of its data, which must not be in use. */
  copy(port: number): Promise<LaunchedServer>;
}

/** Starts one for the running test, which loses nothing that it confirmed. */
export async function restartableServer(
  more: Readonly<Record<string, string>> = {},
): Promise<RestartableServer> {
  const settings = { synchronous_commit: "on", ...more };
  const first = await startServer({ settings });
  const { dataDirectory, port } = first;
  let running: LaunchedServer | null = first;
  onTestFinished(async () => {
    await running?.stop();
    await first.stop();
  });
  const signalFile = join(dataDirectory, "standby.signal");
  const stop = async (how: HowToStop): Promise<void> => {
    const { pid } = running!;
    process.kill(pid, how === "fast" ? "SIGINT" : "SIGQUIT");
    await expect.poll(() => processRuns(pid), { timeout: 30_000, interval: 20 }).toBe(false);
    running = null;
  };
  const start: RestartableServer["start"] = async (options = {}) => {
    if (options.standby === true) {
      await writeFile(signalFile, "");
      await handOver(signalFile, 0o600, await serverUser());
    } else {
      await rm(signalFile, { force: true });
    }
    running = await launchServer({
      major: testMajor(),
      dataDirectory,
      port,
      password: first.parameters.password,
      settings: { fsync: "off", ...settings, ...options.settings },
      env: process.env,
    });
    // Another port would be another server to a client that knows the first.
    expect(running.port).toBe(port);
  };
  return {
    conninfo: first.conninfo,
    port,
    stop,
    start,
    restart: async (how) => {
      await stop(how);
      await start();
    },
    copy: async (otherPort) => {
      const other = await startTemporaryServer({
        major: testMajor(),
        port: otherPort,
        env: process.env,
        initialise: async (_, user, directory) => {
          cpSync(dataDirectory, directory, { recursive: true });
          await rm(join(directory, "postmaster.pid"), { force: true });
          await chmod(directory, 0o700);
          const entries = user === null ? [] : [".", ...(await readdir(directory, { recursive: true }))];
          await Promise.all(entries.map((entry) => chown(join(directory, entry), user!.uid, user!.gid)));
          return first.parameters.password;
        },
      });
      onTestFinished(() => other.stop());
      expect(other.port).toBe(otherPort);
      return other;
    },
  };
}
