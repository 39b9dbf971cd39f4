import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The psql of this machine. */
export interface Psql {
  /** Of psql and the libpq it was built with. */
  readonly major: number;
  /**
   * Runs one query with psql's own ways to connect, in an environment that is given whole but for PATH.
   * @returns its rows as unaligned text, or psql's error output.
   */
  query(
    conninfo: string,
    sql: string,
    env: Readonly<Record<string, string | undefined>>,
  ): Promise<{ readonly rows: string } | { readonly error: string }>;
}

/**
 * Finds psql: the one that GODWIT_TEST_PSQL names, else the newest of this machine; as root installs it with
 * apt-get where it is missing.
 * @returns null when there is none and none can be had.
 */
export async function findPsql(): Promise<Psql | null> {
  const found = (await newest()) ?? ((await install()) ? await newest() : null);
  if (found === null) return null;
  const { command, major } = found;
  return {
    major,
    async query(conninfo, sql, env) {
      try {
        const { stdout } = await run(command, ["-X", "-w", "-A", "-t", "-d", conninfo, "-c", sql], {
          env: { PATH: process.env["PATH"], LC_ALL: "C", ...env },
          timeout: 30_000,
        });
        return { rows: stdout.trim() };
      } catch (error) {
        if (error instanceof Error && "stderr" in error) return { error: String(error.stderr) };
        throw error;
      }
    },
  };
}

interface Found {
  readonly command: string;
  readonly major: number;
}

/** Where Debian puts the client of each version; its psql on PATH is a script that sets PGHOST and more. */
const DEBIAN_FOLDER = "/usr/lib/postgresql";

async function newest(): Promise<Found | null> {
  const named = process.env["GODWIT_TEST_PSQL"];
  if (named !== undefined && named !== "") return await versionOf(named);
  const versions = await readdir(DEBIAN_FOLDER).catch(() => []);
  const commands = versions.map((version) => `${DEBIAN_FOLDER}/${version}/bin/psql`);
  const found = await Promise.all([...commands, "psql"].map(async (command) => await versionOf(command)));
  const usable = found.filter((each) => each !== null).sort((a, b) => b.major - a.major);
  return usable.find(({ command }) => command !== "psql") ?? usable[0] ?? null;
}

async function versionOf(command: string): Promise<Found | null> {
  const answer = await run(command, ["--version"]).catch(() => null);
  return answer && { command, major: Number(/ (\d+)/.exec(answer.stdout)?.[1] ?? 0) };
}

async function install(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = async (...args: string[]): Promise<boolean> =>
    run("apt-get", args, { env, timeout: 300_000 }).then(
      () => true,
      () => false,
    );
  const packages = ["install", "-y", "--no-install-recommends", "postgresql-client"];
  return (await apt(...packages)) || ((await apt("update")) && (await apt(...packages)));
}
