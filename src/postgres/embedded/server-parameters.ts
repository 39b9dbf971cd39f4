import { randomBytes } from "node:crypto";

/** How to connect to an embedded server, in libpq's words: host, port, user, dbname, password. */
export type ServerParameters = Readonly<Record<"host" | "port" | "user" | "dbname" | "password", string>>;

/** The superuser every embedded server is initialised with. */
export const SUPERUSER = "postgres";

/** 192 random bits, in letters that need no quoting anywhere. */
export function newPassword(): string {
  return randomBytes(24).toString("base64url");
}

/** The parameters of a server on a port of this machine. */
export function serverParameters(port: number, password: string, dbname: string): ServerParameters {
  return { host: "127.0.0.1", port: String(port), user: SUPERUSER, dbname, password };
}

/** The same as a postgres:// URL (manual 32.1.1.2). */
export function serverUrl({ host, port, user, dbname, password }: ServerParameters): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(dbname)}`;
}
