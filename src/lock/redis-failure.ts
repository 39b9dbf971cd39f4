import { GodwitError } from "../core/error.ts";
import { systemFailure } from "../postgres/connecting/connect-failure.ts";
import { redact } from "../postgres/redact.ts";
import type { RedisAddress } from "./redis-address.ts";
import type { RedisPackage } from "./redis-client.ts";

interface Reason {
  readonly reason: string;
  readonly hint?: string;
  /** Whether asking again later may work with nothing changed. */
  readonly passing: boolean;
  readonly code?: "CONFIG_INVALID";
}

/** Why a Redis did not do what it was asked. The message is a reason, without naming the server. */
export class RedisFailure extends Error {
  readonly reason: Reason;
  /** First word of an error that the server answered with: `NOAUTH`; null where no answer came. */
  readonly answer: string | null;

  constructor(reason: Reason, answer: string | null = null) {
    super(reason.reason);
    this.reason = reason;
    this.answer = answer;
  }
}

const CREDENTIALS = "check user and password in lock.redis: redis://user:password@host";
const ONE_SERVER = "name a single server; a lock that its failover loses is caught by the database";

/** Answers by their first word (Redis documentation, "RESP protocol: simple errors", and the source of Redis 7). */
const ANSWERS: Readonly<Record<string, Reason>> = {
  WRONGPASS: { reason: "the password or the user was refused", hint: CREDENTIALS, passing: false },
  NOAUTH: { reason: "a password is required", hint: CREDENTIALS, passing: false },
  NOPERM: {
    reason: "the user may not do what the lock needs",
    hint: "grant it: ACL SETUSER <user> ~migration_* +set +get +del +eval +info +select",
    passing: false,
  },
  DENIED: {
    reason: "the server is in protected mode and takes no connection from outside",
    hint: "give it a password, or bind it to an address of its own",
    passing: false,
  },
  READONLY: {
    reason: "the server is a replica that only reads",
    hint: "name the master in lock.redis",
    passing: true,
  },
  WRONGTYPE: {
    reason: "the key of the lock holds something that is no lock",
    hint: 'look for it: redis-cli --scan --pattern "migration_*", and delete it',
    passing: false,
  },
  LOADING: { reason: "the server is loading its data", passing: true },
  MASTERDOWN: { reason: "the server is a replica that lost its master", passing: true },
  BUSY: { reason: "the server is busy with a script", passing: true },
  OOM: { reason: "the server is out of memory", hint: "it refuses every write", passing: true },
  MISCONF: { reason: "the server cannot save its data and refuses writes", passing: true },
  MOVED: {
    reason: "the server is part of a Cluster",
    hint: ONE_SERVER,
    passing: false,
    code: "CONFIG_INVALID",
  },
  CLUSTERDOWN: {
    reason: "the server is part of a Cluster",
    hint: ONE_SERVER,
    passing: false,
    code: "CONFIG_INVALID",
  },
};

const IS_IT_REDIS = "is it a Redis that listens there? One with TLS needs rediss://";
const NOT_A_REDIS: Reason = {
  reason: "what listens there does not speak as a Redis does",
  hint: "check host and port in lock.redis; a Redis with TLS needs rediss://",
  passing: false,
};

/** The failure of a server that this cannot work with. */
export function refusedServer(mode: "cluster" | "sentinel" | "replica"): RedisFailure {
  if (mode === "replica") return new RedisFailure({ ...ANSWERS["READONLY"]!, passing: false });
  const what = mode === "cluster" ? "part of a Cluster" : "a Sentinel";
  return new RedisFailure({
    reason: `the server is ${what}`,
    hint: ONE_SERVER,
    passing: false,
    code: "CONFIG_INVALID",
  });
}

/** The failure of a server whose answer no Redis gives. */
export function notARedis(): RedisFailure {
  return new RedisFailure(NOT_A_REDIS);
}

/** The failure of a server that said nothing in time. */
export function noAnswer(ms: number): RedisFailure {
  return new RedisFailure({ reason: `no answer in ${Math.round(ms / 100) / 10} s`, passing: true });
}

/** Puts an error of the client library into words. */
export function toRedisFailure(error: unknown, redis: RedisPackage): RedisFailure {
  if (error instanceof RedisFailure) return error;
  if (error instanceof redis.ErrorReply) return answered(error.message);
  if (error instanceof redis.ConnectionTimeoutError) {
    return new RedisFailure({ reason: "no answer in time", passing: true });
  }
  if (error instanceof redis.ClientClosedError || error instanceof redis.DisconnectsClientError) {
    return new RedisFailure({ reason: "the connection ended", passing: true });
  }
  if (error instanceof redis.SocketClosedUnexpectedlyError) {
    return new RedisFailure({ reason: "the server closed the connection", hint: IS_IT_REDIS, passing: true });
  }
  const tls = tlsReason(error);
  if (tls !== null) return new RedisFailure(tls);
  if (error instanceof Error && error.message.startsWith("Unknown RESP type")) return notARedis();
  if (!(error instanceof Error && "code" in error)) {
    return new RedisFailure({
      reason: error instanceof Error ? error.message : String(error),
      passing: true,
    });
  }
  const { message, options } = systemFailure(error);
  const hint = options.hint ?? (options.code === "ECONNRESET" ? IS_IT_REDIS : undefined);
  return new RedisFailure({ reason: message, passing: options.retryable, ...(hint && { hint }) });
}

/** The error that a person sees. Texts of the server are cleared of the password, which it may echo. */
export function redisError({ reason }: RedisFailure, address: RedisAddress): GodwitError {
  const secrets = [address.password];
  const hint =
    reason.hint === undefined
      ? ""
      : reason.hint
          .replace("<user>", address.username ?? "default")
          .replace(/\??$/, (end) => `${end || ";"} `);
  return new GodwitError(
    reason.code ?? "REDIS_UNREACHABLE",
    redact(`could not use the Redis of the lock at ${address.shown}: ${reason.reason}`, secrets),
    { hint: redact(`${hint}try it: ${pingCommand(address)}`, secrets) },
  );
}

function answered(message: string): RedisFailure {
  const [line = ""] = message.split("\n");
  const word = /^[A-Z]+/.exec(line)?.[0] ?? "";
  const known = ANSWERS[word] ?? ERRORS.find(({ text }) => text.test(line));
  return new RedisFailure(known ?? { reason: `the server answered: ${line}`, passing: false }, word);
}

/** What answers with the unspecific `ERR` say. */
const ERRORS: readonly (Reason & { readonly text: RegExp })[] = [
  {
    text: /AUTH.*without any password configured/,
    reason: "the server has no password, and lock.redis gives one",
    hint: "remove the password from lock.redis, or give the server one",
    passing: false,
  },
  { text: /max number of clients/, reason: "the server has as many clients as it takes", passing: true },
  {
    text: /DB index is out of range|SELECT is not allowed/,
    reason: "the server has no database of that number",
    hint: "check the number behind the host in lock.redis",
    passing: false,
  },
];

function tlsReason(error: unknown): Reason | null {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      reason: "the certificate is for another host",
      hint: "check the host in lock.redis",
      passing: false,
    };
  }
  if (code === "CERT_HAS_EXPIRED") return { reason: "the certificate has expired", passing: false };
  if (/SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)/.test(code)) {
    return {
      reason: "the certificate is not signed by an authority that is trusted here",
      hint: "name the file of the authority's certificate: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem",
      passing: false,
    };
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return {
      reason: "TLS failed",
      hint: "does the server speak TLS? Without it, write redis://",
      passing: false,
    };
  }
  return null;
}

function pingCommand({ socket, username, password, database }: RedisAddress): string {
  const where = "path" in socket ? ["-s", socket.path] : ["-h", socket.host, "-p", String(socket.port)];
  return [
    "redis-cli",
    ...where,
    ...("tls" in socket && socket.tls ? ["--tls"] : []),
    ...(username === null ? [] : ["--user", username]),
    ...(password === null ? [] : ["--askpass"]),
    ...(database === 0 ? [] : ["-n", String(database)]),
    "PING",
  ].join(" ");
}
