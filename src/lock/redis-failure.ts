import { GodwitError } from "../core/error.ts";
import { systemFailure } from "../postgres/connecting/connect-failure.ts";
import { redact } from "../postgres/redact.ts";
import type { RedisAddress } from "./redis-address.ts";
import type { RedisPackage } from "./redis-client.ts";
import { oneLine } from "./redis-holder.ts";
import {
  CLUSTER,
  IS_IT_REDIS,
  NOT_A_REDIS,
  REPLICA,
  SENTINEL,
  reasonOfAnswer,
  tlsReason,
  type Reason,
} from "./redis-reasons.ts";

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

/** The failure of a server that this cannot work with. */
export function refusedServer(mode: "cluster" | "sentinel" | "replica"): RedisFailure {
  return new RedisFailure({ cluster: CLUSTER, sentinel: SENTINEL, replica: REPLICA }[mode]);
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
  const line = oneLine(message);
  // Before version 7 what went wrong in a script stands within the line.
  const word = /@user_script:.*: -([A-Z]+) /.exec(line)?.[1] ?? /^[A-Z]+/.exec(line)?.[0] ?? "";
  return new RedisFailure(
    reasonOfAnswer(word, line) ?? { reason: `the server answered: ${line}`, passing: false },
    word,
  );
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
