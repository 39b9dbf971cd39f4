import type { EventEmitter } from "node:events";
import type { AuthenticationMethod, ConnectionSettings } from "../types.ts";
import { ConnectFailure } from "./connect-failure.ts";

/** What is known of the authentication that a server goes through with us. */
export interface AuthenticationGuard {
  /** Whether the server has let us in. */
  readonly authenticated: boolean;
  /**
   * Why the server is not to be trusted, or null. To be asked before a password is given away, and again when the
   * driver says that it is connected: the server's last messages arrive together.
   */
  readonly refusal: ConnectFailure | null;
}

/**
 * Watches the authentication messages of a driver's connection (manual 54.2.1) and enforces `require_auth` and
 * `channel_binding=require`, which the driver does not know. Must be attached before the driver's own listeners.
 */
export function guardAuthentication(
  connection: EventEmitter,
  settings: ConnectionSettings,
  encrypted: boolean,
): AuthenticationGuard {
  const allowed = settings.allowedAuthentication ?? null;
  const bindingRequired = settings.channelBinding === "require";
  const state = { authenticated: false, refusal: null as ConnectFailure | null };
  let finished = false;

  const challenged = (method: AuthenticationMethod, bound: boolean): void => {
    if (allowed !== null && !allowed.includes(method)) {
      state.refusal = failure(`the server asks for ${method} authentication, which require_auth rules out`);
    } else if (bindingRequired && !bound) {
      state.refusal = failure(
        encrypted
          ? "channel binding is required, and the server does not offer it"
          : "channel binding is required, and the connection is not encrypted",
      );
    }
    // SCRAM is done when the server has proved itself too; the others when we have answered.
    finished = method !== "scram-sha-256";
  };
  connection.on("authenticationCleartextPassword", () => challenged("password", false));
  connection.on("authenticationMD5Password", () => challenged("md5", false));
  connection.on("authenticationSASL", ({ mechanisms }: { mechanisms: readonly string[] }) => {
    const scram = mechanisms.some((mechanism) => mechanism.startsWith("SCRAM-"));
    challenged(scram ? "scram-sha-256" : "oauth", encrypted && mechanisms.includes("SCRAM-SHA-256-PLUS"));
  });
  connection.on("authenticationSASLFinal", () => (finished = true));
  connection.on("authenticationOk", () => {
    state.authenticated = true;
    const proofNeeded = bindingRequired || (allowed !== null && !allowed.includes("none"));
    if (proofNeeded && !finished) {
      state.refusal ??= failure(
        bindingRequired
          ? "channel binding is required, and the server lets us in without it"
          : "the server lets us in without authentication, which require_auth rules out",
      );
    }
  });
  return state;
}

function failure(reason: string): ConnectFailure {
  return new ConnectFailure(reason, {
    next: "stop",
    retryable: false,
    hint: "change the method in the server's pg_hba.conf, or what the connection string requires",
  });
}
