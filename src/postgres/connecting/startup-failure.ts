import { isDatabaseError } from "../database-error.ts";
import type { DatabaseError } from "../database-error.ts";
import type { ConnectionSettings, HostSettings } from "../types.ts";
import { ConnectFailure, systemFailure } from "./connect-failure.ts";
import { notPostgres } from "./dial.ts";
import { isPassingSqlstate } from "./unreachable.ts";

export interface StartupContext {
  readonly server: HostSettings;
  readonly settings: ConnectionSettings;
  readonly encrypted: boolean;
  /** Where the password came from, in words; null: there is none. */
  readonly passwordSource: string | null;
}

/**
 * Puts an error between the open socket and the first ReadyForQuery into words. As in libpq the search ends with it,
 * since other servers would be asked with the same credentials; only "cannot connect now" leads to the next host.
 */
export function startupFailure(error: unknown, context: StartupContext): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  if (isDatabaseError(error)) {
    const hint = hintFor(error, context);
    return new ConnectFailure(`${error.severity ?? "ERROR"}: ${error.message}`, {
      next: error.code === "57P03" ? "host" : "stop",
      retryable: isPassingSqlstate(error.code) && !isStartupParameter(error),
      sqlstate: error.code,
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : "";
  if (message.startsWith("Connection terminated")) {
    return new ConnectFailure("the server closed the connection", {
      next: "stop",
      retryable: true,
      cause: error,
    });
  }
  if (message.startsWith("Unknown authenticationOk message type")) {
    return new ConnectFailure(
      "the server asks for an authentication method that Godwit does not know (GSSAPI, SSPI)",
      {
        next: "stop",
        retryable: false,
        hint: 'let it ask for a password in pg_hba.conf: "scram-sha-256"',
        cause: error,
      },
    );
  }
  if (message.startsWith("SASL: Only mechanism")) {
    return new ConnectFailure(
      "the server offers no authentication mechanism that Godwit knows (SCRAM-SHA-256)",
      {
        next: "stop",
        retryable: false,
        cause: error,
      },
    );
  }
  if (message.startsWith("received invalid response")) return notPostgres();
  return systemFailure(error).but({ next: "stop" });
}

/** The failure of a server that wants a password where none is known. */
export function passwordMissing(): ConnectFailure {
  return new ConnectFailure("the server asks for a password, and none is given", {
    next: "stop",
    retryable: false,
    hint: "put it into PGPASSWORD, into ~/.pgpass, or into the connection string",
  });
}

function hintFor(
  error: DatabaseError,
  { server, settings, encrypted, passwordSource }: StartupContext,
): string | undefined {
  switch (error.code ?? "") {
    case "28P01":
      return passwordSource === null
        ? "no password is given: put it into PGPASSWORD, into ~/.pgpass, or into the connection string"
        : `check user and password; the password came from ${passwordSource}`;
    case "28000":
      return /no encryption/.test(error.message) && !encrypted
        ? "the server may want encryption: write sslmode=require"
        : "check the user's name and the server's pg_hba.conf";
    case "3D000":
      return `create it: ${createCommand(server, settings)}`;
    case "53300":
      return "all connections of the server are in use: close some, raise max_connections, or try again later";
    case "57P03":
      return "the server is starting up, shutting down or recovering: try again in a moment";
    default:
      return isStartupParameter(error)
        ? "a connection pooler refuses a start-up parameter: leave out options, PGOPTIONS, PGDATESTYLE and PGGEQO, " +
            "or list it in the pooler's ignore_startup_parameters"
        : undefined;
  }
}

function isStartupParameter(error: DatabaseError): boolean {
  return /unsupported startup parameter/i.test(error.message);
}

function createCommand(
  { host, hostaddr, port }: HostSettings,
  { user, database }: ConnectionSettings,
): string {
  const words = ["createdb", "-h", host || hostaddr || "localhost", "-p", String(port), "-U", user, database];
  return words
    .map((word) => (/^[\w./@:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
