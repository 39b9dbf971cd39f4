import type { Socket } from "node:net";
import type { ConnectionSettings, HostSettings } from "../types.ts";
import type { Address } from "./addresses.ts";
import { ConnectFailure } from "./connect-failure.ts";
import { dial, requestTls } from "./dial.ts";
import { encrypt } from "./tls.ts";

/** One address of one server. */
export interface Endpoint {
  readonly server: HostSettings;
  readonly address: Address;
}

/** A socket on which PostgreSQL's protocol can begin. */
export interface Wire {
  readonly socket: Socket;
  readonly encrypted: boolean;
}

/** How much encryption matters to one attempt; `offered`: without it if the server declines. */
export type Encryption = "none" | "offered" | "demanded";

/**
 * Opens a socket to an address and encrypts it as asked. Never over a Unix socket, whatever is asked (manual 32.19).
 * @throws ConnectFailure; the signal's reason when it is aborted.
 */
export async function openWire(
  { server, address }: Endpoint,
  encryption: Encryption,
  settings: ConnectionSettings,
  signal: AbortSignal,
): Promise<Wire> {
  const socket = await dial(address, settings, signal);
  if (encryption === "none" || address.kind === "unix") return { socket, encrypted: false };
  if (settings.sslnegotiation === "postgres" && !(await requestTls(socket, signal))) {
    if (encryption === "offered") return { socket, encrypted: false };
    socket.destroy();
    throw new ConnectFailure("the server does not support TLS, and it is required", {
      next: "stop",
      retryable: false,
      hint: `write sslmode=prefer to connect without encryption (it is ${settings.sslmode} now)`,
    });
  }
  return { socket: await encrypt(socket, server.host, settings, signal), encrypted: true };
}
