import { readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";

export interface FileFacts {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Permission bits and file type as `stat` gives them. */
  readonly mode: number;
}

/** What resolving a connection reads of the machine besides the environment; tests give their own. */
export interface ConninfoSystem {
  readonly platform: NodeJS.Platform;
  /** The text of a file (UTF-8), or null when there is none that can be read. */
  readText(file: string): string | null;
  /** Null when nothing is there. */
  factsOf(file: string): FileFacts | null;
  /** Home folder of the user by the password database; null when it names none. */
  homeDirectory(): string | null;
  /** Name of the effective user; null when the user id has no name, as in some containers. */
  userName(): string | null;
}

/** The machine that the process runs on. Synchronous: the files are tiny, and node:fs/promises takes 5 ms to load. */
export const realSystem: ConninfoSystem = {
  platform: process.platform,
  readText(file) {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return null;
    }
  },
  factsOf(file) {
    try {
      const facts = statSync(file);
      return { isFile: facts.isFile(), isDirectory: facts.isDirectory(), mode: facts.mode };
    } catch {
      return null;
    }
  },
  homeDirectory: () => fromPasswordDatabase("homedir"),
  userName: () => fromPasswordDatabase("username"),
};

function fromPasswordDatabase(field: "homedir" | "username"): string | null {
  try {
    return userInfo()[field] || null;
  } catch {
    return null;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The per-user files that libpq looks for, by their name on Unix and on Windows. */
const USER_FILES = {
  passfile: [".pgpass", "pgpass.conf"],
  service: [".pg_service.conf", ".pg_service.conf"],
  sslrootcert: [".postgresql/root.crt", "root.crt"],
  sslcrl: [".postgresql/root.crl", "root.crl"],
  sslcert: [".postgresql/postgresql.crt", "postgresql.crt"],
  sslkey: [".postgresql/postgresql.key", "postgresql.key"],
} as const;

/**
 * Where libpq looks for a file of the user: in the home folder, on Windows in `%APPDATA%\postgresql`
 * (manual 32.15 to 32.19). Null when there is no home folder, which is no error.
 */
export function userFile(
  which: keyof typeof USER_FILES,
  env: Environment,
  system: ConninfoSystem,
): string | null {
  const [unix, windows] = USER_FILES[which];
  if (system.platform === "win32") {
    return env["APPDATA"] ? path.win32.join(env["APPDATA"], "postgresql", windows) : null;
  }
  const home = env["HOME"] || system.homeDirectory();
  return home === null ? null : path.posix.join(home, unix);
}
