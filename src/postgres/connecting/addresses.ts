import { isIP } from "node:net";
import type { HostSettings } from "../types.ts";
import { systemFailure } from "./connect-failure.ts";
import { untilAborted } from "./time-limit.ts";

/** Where a socket is opened: an IP address and port, or the path of a Unix socket. */
export type Address =
  | { readonly kind: "tcp"; readonly ip: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/**
 * All addresses of a host in the order the operating system prefers them, as libpq tries them.
 * @throws ConnectFailure when the name cannot be looked up; the signal's reason when it is aborted.
 */
export async function addressesOf(server: HostSettings, signal: AbortSignal): Promise<Address[]> {
  const { host, hostaddr, port } = server;
  if (hostaddr !== null) return [{ kind: "tcp", ip: hostaddr, port }];
  if (host.startsWith("/") || host.startsWith("@") || /^[A-Za-z]:[\\/]/.test(host)) {
    const path = `${host.replace(/\/+$/, "")}/.s.PGSQL.${port}`;
    // An abstract socket's name begins with a zero byte in the system's own notation.
    return [{ kind: "unix", path: path.startsWith("@") ? `\0${path.slice(1)}` : path }];
  }
  if (isIP(host) !== 0) return [{ kind: "tcp", ip: host, port }];
  try {
    // Loaded only here: most connections go to an address or a socket.
    const { lookup } = await import("node:dns/promises");
    const found = await untilAborted(lookup(host, { all: true, order: "verbatim" }), signal);
    return found.map(({ address }) => ({ kind: "tcp", ip: address, port }));
  } catch (error) {
    signal.throwIfAborted();
    throw systemFailure(error);
  }
}
