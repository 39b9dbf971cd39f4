import { GodwitError } from "../core/error.ts";

/** Where a Redis is and who comes in. */
export interface RedisAddress {
  readonly socket:
    | { readonly host: string; readonly port: number; readonly tls: true }
    | { readonly host: string; readonly port: number; readonly tls: false }
    | { readonly path: string };
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Without secrets: `cache:6379`, or the path of a Unix socket. */
  readonly shown: string;
}

const FORMS =
  "redis://[user:password@]host[:port][/number], rediss:// for TLS, or unix:///path/to.sock[?db=number]";
const DEFAULT_PORT = 6379;

/**
 * Reads the URL of a Redis.
 * @throws GodwitError CONFIG_INVALID, without any part of the URL that may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const text = url.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw invalid("is not a URL", `write ${FORMS}`);
  if (/sentinel|cluster/.test(scheme)) throw manyServers(`begins with ${scheme}://`);
  if (scheme === "unix") return unixSocket(text);
  if (scheme !== "redis" && scheme !== "rediss") {
    throw invalid("is not the URL of a Redis", `write ${FORMS}`);
  }
  const authority = /^[^/?#]*/.exec(text.slice(scheme.length + 3))?.[0] ?? "";
  if (authority.slice(authority.lastIndexOf("@") + 1).includes(",")) throw manyServers("names several hosts");
  return overNetwork(parsed(text), scheme === "rediss");
}

function overNetwork(url: URL, tls: boolean): RedisAddress {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "") throw invalid("names no host", `write ${FORMS}`);
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  if (port === 0) throw invalid("has a port of 0", `the usual port is ${DEFAULT_PORT}`);
  refuseParameters(url.searchParams, []);
  return {
    socket: tls ? { host, port, tls } : { host, port, tls },
    ...credentials(url.username, url.password),
    database: databaseNumber(url.pathname.replace(/^\//, "")),
    shown: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
  };
}

/** A URL with credentials and no host is none by the rules of URLs, and yet the usual form here. */
function unixSocket(text: string): RedisAddress {
  const match = /^unix:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\/[^?#]+)(?:\?([^#]*))?$/i.exec(text);
  if (match?.[3] === undefined) throw invalid("is not the path of a Unix socket", `write ${FORMS}`);
  const path = decoded(match[3]);
  const parameters = new URLSearchParams(match[4] ?? "");
  refuseParameters(parameters, ["db"]);
  return {
    socket: { path },
    ...credentials(match[1] ?? "", match[2] ?? ""),
    database: databaseNumber(parameters.get("db") ?? ""),
    shown: path,
  };
}

function credentials(username: string, password: string): Pick<RedisAddress, "username" | "password"> {
  return {
    username: username === "" ? null : decoded(username),
    password: password === "" ? null : decoded(password),
  };
}

function databaseNumber(text: string): number {
  if (!/^\d{0,9}$/.test(text)) {
    throw invalid(
      "names a database that is not a number",
      "the databases of a Redis have numbers: redis://host/3",
    );
  }
  return Number(text);
}

/** A parameter may change what is trusted, e.g. of certificates: none is ignored. */
function refuseParameters(parameters: URLSearchParams, known: readonly string[]): void {
  const unknown = [...parameters.keys()].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.map((name) => JSON.stringify(name)).join(", ");
  throw invalid(`has a parameter that is not supported: ${names}`, `remove it, and write ${FORMS}`);
}

/** A character of a password that was not encoded may begin another part, which must then be shown no more than it. */
function parsed(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && !/[/?#][^]*@/.test(text.slice(text.indexOf("//") + 2)) && url.hash === "") return url;
  throw invalid(
    "is not a URL",
    `write ${FORMS}; in a password, percent-encode what has a meaning in URLs: @ is %40, / is %2F, ? is %3F, # is %23`,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("is not a URL", "a % that stands for itself is written %25");
  }
}

function manyServers(what: string): GodwitError {
  return invalid(
    `${what}: Sentinel and Cluster are not supported`,
    "name one server: redis://host:6379; a lock that its failover loses is caught by the database",
  );
}

function invalid(what: string, hint: string): GodwitError {
  return new GodwitError("CONFIG_INVALID", `lock.redis: ${what}`, { hint });
}
