import { nameOf, invalid, unsupported } from "./setting.ts";
import type { Setting, Settings } from "./setting.ts";

interface Limit {
  /** Values that change nothing, so that they may stand. */
  readonly harmless: readonly string[];
  /** Every value libpq knows, where it checks; another one is malformed rather than unsupported. */
  readonly known?: readonly string[];
  readonly why: string;
  readonly remedy: string;
}

const SYSTEM_DEFAULT = ["", "0"];
const NO_GSSAPI = "Godwit does not speak GSSAPI";
const NO_OAUTH = "Godwit does not speak OAuth";
const leaveOut = (keyword: string): string => `leave ${keyword} out`;

/** The keywords of libpq that Godwit supports in part or not at all. */
const LIMITS: Readonly<Record<string, Limit>> = {
  keepalives_interval: {
    harmless: SYSTEM_DEFAULT,
    why: "Node.js cannot set the interval of keepalive probes",
    remedy: "leave keepalives_interval out; keepalives and keepalives_idle are supported",
  },
  keepalives_count: {
    harmless: SYSTEM_DEFAULT,
    why: "Node.js cannot set the number of keepalive probes",
    remedy: "leave keepalives_count out; keepalives and keepalives_idle are supported",
  },
  tcp_user_timeout: {
    harmless: SYSTEM_DEFAULT,
    why: "Node.js cannot set TCP_USER_TIMEOUT",
    remedy: leaveOut("tcp_user_timeout"),
  },
  sslcompression: {
    harmless: SYSTEM_DEFAULT,
    why: "TLS compression is insecure and Node.js is built without it",
    remedy: leaveOut("sslcompression"),
  },
  sslcertmode: {
    harmless: ["disable", "allow"],
    known: ["disable", "allow", "require"],
    why: "Node.js does not tell whether the server asked for a certificate",
    remedy: 'write sslcertmode=allow and let pg_hba.conf demand the certificate ("clientcert=verify-ca")',
  },
  sslcrldir: {
    harmless: [""],
    why: "only a single file of revoked certificates can be used",
    remedy: "join the lists into one PEM file and name it with sslcrl",
  },
  sslkeylogfile: {
    harmless: [""],
    why: "Godwit does not write TLS secrets to files",
    remedy: leaveOut("sslkeylogfile"),
  },
  requirepeer: {
    harmless: [""],
    why: "Node.js cannot ask who owns the other end of a Unix socket",
    remedy: "leave requirepeer out and use a socket folder that only the server's owner can write to",
  },
  min_protocol_version: {
    harmless: ["", "3.0"],
    known: ["", "3.0", "3.2", "latest"],
    why: "Godwit speaks version 3.0 of PostgreSQL's protocol",
    remedy: leaveOut("min_protocol_version"),
  },
  max_protocol_version: {
    harmless: ["", "3.0", "3.2", "latest"],
    known: ["", "3.0", "3.2", "latest"],
    why: "Godwit speaks version 3.0 of PostgreSQL's protocol",
    remedy: leaveOut("max_protocol_version"),
  },
  gssencmode: {
    harmless: ["disable", "prefer"],
    known: ["disable", "prefer", "require"],
    why: NO_GSSAPI,
    remedy: "write gssencmode=disable and encrypt with sslmode=verify-full",
  },
  krbsrvname: { harmless: ["", "postgres"], why: NO_GSSAPI, remedy: leaveOut("krbsrvname") },
  gsslib: { harmless: [""], why: NO_GSSAPI, remedy: leaveOut("gsslib") },
  gssdelegation: { harmless: SYSTEM_DEFAULT, why: NO_GSSAPI, remedy: leaveOut("gssdelegation") },
  replication: {
    harmless: ["", "false", "off", "no", "0"],
    why: "migrations need an ordinary session",
    remedy: leaveOut("replication"),
  },
  scram_client_key: {
    harmless: [""],
    why: "Godwit authenticates with the password itself",
    remedy: "give the password instead",
  },
  scram_server_key: {
    harmless: [""],
    why: "Godwit authenticates with the password itself",
    remedy: "give the password instead",
  },
  oauth_issuer: { harmless: [""], why: NO_OAUTH, remedy: "use a role with a password" },
  oauth_client_id: { harmless: [""], why: NO_OAUTH, remedy: "use a role with a password" },
  oauth_client_secret: { harmless: [""], why: NO_OAUTH, remedy: "use a role with a password" },
  oauth_scope: { harmless: [""], why: NO_OAUTH, remedy: "use a role with a password" },
};

/** Spellings of UTF8 and its aliases that PostgreSQL takes (manual 23.3.1); `auto` is UTF8 wherever Node.js runs. */
const UTF8 = new Set(["", "auto", "utf8", "unicode"]);

/**
 * Refuses what Godwit cannot do, by name, wherever it was asked for: nothing is ignored in silence.
 * @throws GodwitError CONNECTION_OPTION_UNSUPPORTED, or CONNECTION_STRING_INVALID for a value libpq does not know.
 */
export function refuseUnsupported(settings: Settings): void {
  for (const [keyword, setting] of settings) {
    const limit = LIMITS[keyword];
    if (limit !== undefined) checkLimit(keyword, setting, limit);
  }
  const encoding = settings.get("client_encoding");
  if (encoding !== undefined && !UTF8.has(encoding.value.toLowerCase().replaceAll(/[^a-z0-9]/g, ""))) {
    throw unsupported(
      `${nameOf("client_encoding", encoding.source)} is not UTF8, the only encoding Godwit reads and writes`,
      "leave it out or write client_encoding=UTF8; the database itself may have any encoding",
    );
  }
}

function checkLimit(keyword: string, setting: Setting, limit: Limit): void {
  if (limit.harmless.includes(setting.value.trim())) return;
  const name = nameOf(keyword, setting.source);
  if (limit.known !== undefined && !limit.known.includes(setting.value)) {
    throw invalid(
      `${name} has a value it cannot have`,
      `it is one of ${limit.known.filter(Boolean).join(", ")}`,
    );
  }
  throw unsupported(`${name} is not supported: ${limit.why}`, limit.remedy);
}
