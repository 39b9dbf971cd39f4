import { chmod, chown, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ServerUser } from "./server-user.ts";

/** PEM files of a server, by path. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  /** Given: clients may prove themselves with certificates that it signed. */
  readonly ca?: string;
}

/**
 * Puts certificate files into the data directory, where the server's account can read them and the key is
 * private as PostgreSQL demands (manual 18.9.1).
 * @returns the settings that name them.
 */
export async function installTls(
  dataDirectory: string,
  tls: ServerTls,
  user: ServerUser | null,
): Promise<Record<string, string>> {
  const files = [
    { setting: "ssl_cert_file", name: "server.crt", source: tls.certificate },
    { setting: "ssl_key_file", name: "server.key", source: tls.key },
    ...(tls.ca === undefined ? [] : [{ setting: "ssl_ca_file", name: "root.crt", source: tls.ca }]),
  ];
  const settings: Record<string, string> = { ssl: "on" };
  for (const { setting, name, source } of files) {
    const path = join(dataDirectory, name);
    await copyFile(source, path);
    await handOver(path, 0o600, user);
    settings[setting] = name;
  }
  return settings;
}

/** Replaces pg_hba.conf: how clients must prove themselves (manual 20.1). */
export async function writeHostBasedAuthentication(
  dataDirectory: string,
  lines: readonly string[],
  user: ServerUser | null,
): Promise<void> {
  const path = join(dataDirectory, "pg_hba.conf");
  await writeFile(path, lines.map((line) => `${line}\n`).join(""));
  await handOver(path, 0o600, user);
}

/** `sockaddr_un` holds 104 bytes on macOS and BSD, 108 on Linux, with the final zero. */
const SOCKET_PATH_LIMIT = 103;

/**
 * Makes the folder for the Unix socket.
 * @returns the folder, or null where a socket cannot be: Windows, or a path too long.
 */
export async function prepareSocketDirectory(
  folder: string | null,
  user: ServerUser | null,
): Promise<string | null> {
  if (folder === null || process.platform === "win32") return null;
  if (Buffer.byteLength(join(folder, ".s.PGSQL.65535")) > SOCKET_PATH_LIMIT) return null;
  // unix_socket_directories is a list: these would split the path.
  if (/[,"]/.test(folder)) return null;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await handOver(folder, 0o700, user);
  return folder;
}

/** Gives a file or folder of ours to the server's account. */
export async function handOver(path: string, mode: number, user: ServerUser | null): Promise<void> {
  await chmod(path, mode);
  if (user !== null) await chown(path, user.uid, user.gid);
}
