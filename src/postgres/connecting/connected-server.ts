import type pg from "pg";
import type { HostSettings } from "../types.ts";
import type { Address } from "./addresses.ts";

/** The server that a client is connected to. */
export interface ConnectedServer {
  readonly server: HostSettings;
  readonly address: Address;
  readonly encrypted: boolean;
}

const servers = new WeakMap<pg.Client, ConnectedServer>();

export function rememberServer(client: pg.Client, server: ConnectedServer): void {
  servers.set(client, server);
}

/** Where a client that `connect` returned is connected to. */
export function serverOf(client: pg.Client): ConnectedServer | undefined {
  return servers.get(client);
}
