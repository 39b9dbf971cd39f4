import { createHash, randomBytes } from "node:crypto";
import { readFile, realpath, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { GodwitError } from "../../core/error.ts";
import type { Environment } from "./child-process.ts";
import { isRoot } from "./server-user.ts";
import { codeOf, messageOf } from "./system-error.ts";

/** The database an embedded server is used for; `postgres` stays free for administration. */
export const EMBEDDED_DATABASE = "app";

/** What is kept about a project's server in `.godwit/postgres/instance.json`, readable by its owner alone. */
export interface Instance {
  readonly version: 1;
  /** Folder of the data directory, the socket and nothing else: `.godwit/postgres`, or one outside the project. */
  readonly home: string;
  /** The superuser's. */
  readonly password: string;
  /** Taken again at the next start, so that URLs stay good. */
  readonly port: number;
  /** Data directories cannot move between platforms. */
  readonly platform: string;
}

export interface InstancePlaces {
  /** The project's root, without symbolic links. */
  readonly project: string;
  /** `.godwit/postgres` in it. */
  readonly directory: string;
  readonly file: string;
  readonly lock: string;
  readonly logFile: string;
  /** Where the data may be: in the project, or outside where the server cannot work in the project. */
  readonly homes: readonly [inside: string, outside: string];
}

/**
 * Where a project's embedded server keeps its things.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when the project's folder does not exist.
 */
export async function instancePlaces(project: string, env: Environment): Promise<InstancePlaces> {
  const root = await realpath(project).catch((error: unknown) => {
    throw new GodwitError("EMBEDDED_UNAVAILABLE", `the folder ${project} cannot be entered`, {
      detail: messageOf(error),
      cause: error,
    });
  });
  const directory = join(root, ".godwit", "postgres");
  const hash = createHash("sha256").update(root).digest("hex").slice(0, 16);
  const xdg = env["XDG_STATE_HOME"];
  const state = isRoot()
    ? "/var/lib"
    : xdg !== undefined && xdg.startsWith("/")
      ? xdg
      : join(homedir(), ".local", "state");
  return {
    project: root,
    directory,
    file: join(directory, "instance.json"),
    lock: join(directory, "start.lock"),
    logFile: join(directory, "server.log"),
    homes: [directory, join(state, "godwit", hash)],
  };
}

/** The data directory below a home. */
export function dataDirectoryOf(instance: Instance): string {
  return join(instance.home, "data");
}

/** The folder of the Unix socket below a home. */
export function socketDirectoryOf(instance: Instance): string {
  return join(instance.home, "socket");
}

/**
 * Reads what is kept about a project's server; null when it never had one.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when the file belongs to another account, is malformed, or names a
 * folder that cannot be this project's (it was copied from elsewhere).
 */
export async function readInstance(places: InstancePlaces): Promise<Instance | null> {
  let text: string;
  try {
    text = await readFile(places.file, "utf8");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw unusable(places, "cannot be read by this account", "run as the account that made it", error);
  }
  const startAnew = `to start anew, without its data, remove ${places.directory}`;
  let instance: Fields;
  try {
    instance = fieldsOf(JSON.parse(text));
  } catch (error) {
    throw unusable(places, "is malformed", startAnew, error);
  }
  const { version, home, password, port, platform } = instance;
  if (
    version !== 1 ||
    typeof password !== "string" ||
    typeof port !== "number" ||
    typeof platform !== "string"
  ) {
    throw unusable(places, "is malformed", startAnew);
  }
  const [inside, outside] = places.homes;
  if (home === outside) return { version, home, password, port, platform };
  // A project that was moved takes a server inside it along; any other folder is not this project's.
  if (typeof home === "string" && home.endsWith(join(".godwit", "postgres"))) {
    return { version, home: inside, password, port, platform };
  }
  throw unusable(places, `keeps its data in ${String(home)}, which belongs to another project`, startAnew);
}

/** The password file (PostgreSQL manual 32.16) that lets psql and others in, by `passfile=` in a connection string. */
export function passwordFileOf(directory: string): string {
  return join(directory, "pgpass");
}

/** Writes the file, and the password in libpq's form beside it, each in one step and readable by its owner alone. */
export async function writeInstance(places: InstancePlaces, instance: Instance): Promise<void> {
  await writePrivately(
    passwordFileOf(places.directory),
    `127.0.0.1:${instance.port}:*:*:${instance.password}\n`,
  );
  await writePrivately(places.file, `${JSON.stringify(instance, null, 2)}\n`);
}

async function writePrivately(path: string, text: string): Promise<void> {
  const scratch = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(scratch, text, { mode: 0o600, flush: true });
  await rename(scratch, path);
}

/** The fields as anybody may have written them. */
type Fields = Readonly<Partial<Record<keyof Instance, unknown>>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value : {};
}

function unusable(places: InstancePlaces, what: string, hint: string, cause?: unknown): GodwitError {
  return new GodwitError("EMBEDDED_UNAVAILABLE", `the embedded server's ${places.file} ${what}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
