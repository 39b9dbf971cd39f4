import { formatDuration } from "../../core/duration.ts";
import { GodwitError, isGodwitError } from "../../core/error.ts";
import { describeConnection, redact } from "../redact.ts";
import type { ConnectionSettings } from "../types.ts";
import { ConnectFailure, codeOf, isPassingSystemError } from "./connect-failure.ts";

/** One server that was tried in vain. */
export interface FailedAttempt {
  /** `db1:5432 (10.0.0.1)` or the path of a socket. */
  readonly server: string;
  readonly failure: ConnectFailure;
}

/** Carries whether the search may be repeated, and all attempts, behind the one error that is shown. */
class SearchFailure extends Error {
  readonly retryable: boolean;
  readonly attempts: readonly FailedAttempt[];

  constructor(attempts: readonly FailedAttempt[], retryable: boolean) {
    super("no server could be used");
    this.attempts = attempts;
    this.retryable = retryable;
  }
}

/**
 * The one error for a search that found no server: every server tried with its reason, and the hint and SQLSTATE of
 * the failure that tells most, which is the one that ended the search.
 * @param expiredMs the overall limit in milliseconds when that ended it.
 */
export function unreachable(
  settings: ConnectionSettings,
  attempts: readonly FailedAttempt[],
  expiredMs: number | null,
): GodwitError {
  const last = attempts.at(-1)?.failure;
  const decisive =
    last?.options.next === "stop"
      ? last
      : (attempts.find(({ failure }) => failure.options.sqlstate)?.failure ?? last);
  const retryable =
    decisive?.options.next === "stop"
      ? decisive.options.retryable
      : attempts.some(({ failure }) => failure.options.retryable);
  const { hint, sqlstate } = decisive?.options ?? {};
  const tried = [...new Set(attempts.map(({ server, failure }) => `${server}: ${failure.message}`))];
  const limit = expiredMs === null ? [] : [`gave up after ${formatDuration(expiredMs)}`];
  const secrets = [...settings.passwords, settings.sslpassword];
  const message =
    settings.hosts.length === 1 && tried.length === 1 && expiredMs === null
      ? `could not connect to ${describeConnection(settings)}: ${decisive!.message}`
      : `could not connect to ${settings.database} as ${settings.user}: ${[...tried, ...limit].join("; ")}`;
  return new GodwitError("DATABASE_UNREACHABLE", redact(message, secrets), {
    ...(hint === undefined ? {} : { hint: redact(hint, secrets) }),
    ...(sqlstate === undefined ? {} : { sqlstate }),
    cause: new SearchFailure(attempts, expiredMs !== null || retryable),
  });
}

/** SQLSTATE codes that pass: too many connections, shutting down, crashed, starting up. */
const PASSING_SQLSTATE = new Set(["53300", "57P01", "57P02", "57P03"]);

/** Whether a server's refusal may pass by itself. 08xxx are failures of the connection, mostly a pooler's. */
export function isPassingSqlstate(sqlstate: string | undefined): boolean {
  return sqlstate !== undefined && (PASSING_SQLSTATE.has(sqlstate) || sqlstate.startsWith("08"));
}

/**
 * Whether connecting may work later with nothing changed: refused, reset, unreachable, no answer in time, the name
 * server silent, no server of the wanted kind, SQLSTATE 53300, 57P01 to 57P03 and 08xxx. Not: authentication, a
 * database that does not exist, TLS verification, a host name that does not exist, interruption.
 */
export function isRetryableConnectError(error: unknown): boolean {
  if (isGodwitError(error)) {
    return (
      error.code === "DATABASE_UNREACHABLE" && error.cause instanceof SearchFailure && error.cause.retryable
    );
  }
  if (error instanceof ConnectFailure) return error.options.retryable;
  return isPassingSystemError(codeOf(error)) || isPassingSqlstate(codeOf(error));
}
