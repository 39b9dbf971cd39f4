import { randomInt } from "node:crypto";
import { describeHost } from "../redact.ts";
import type { ConnectionSettings, HostSettings, TargetSessionAttrs } from "../types.ts";
import { addressesOf } from "./addresses.ts";
import type { Address } from "./addresses.ts";
import { ConnectFailure } from "./connect-failure.ts";
import { startTimeLimit } from "./time-limit.ts";
import type { FailedAttempt } from "./unreachable.ts";
import type { Encryption, Endpoint } from "./wire.ts";

/** libpq waits without limit when connect_timeout is not given; nothing here does. */
const DEFAULT_ADDRESS_LIMIT_MS = 30_000;

/** One try at one address. */
export interface Attempt extends Endpoint {
  readonly password: string | null;
  readonly passwordSource: string | null;
  readonly encryption: Encryption;
  readonly target: TargetSessionAttrs;
}

export type Try<Connection> = (attempt: Attempt, signal: AbortSignal) => Promise<Connection>;

/**
 * Tries servers as libpq does (manual 32.1.1.3): hosts in order or shuffled, all addresses of each, encryption by
 * sslmode, until one is of the wanted kind. `prefer-standby` is a search for a standby, then one for anything.
 * @param failed is filled with every attempt that failed, also when the search is aborted.
 * @returns null when no server could be used.
 * @throws the signal's reason when it is aborted.
 */
export async function search<Connection>(
  settings: ConnectionSettings,
  attempt: Try<Connection>,
  signal: AbortSignal,
  failed: FailedAttempt[],
): Promise<Connection | null> {
  const order = settings.hosts.map((_, index) => index);
  if (settings.loadBalanceHosts) shuffle(order);
  const wanted = settings.targetSessionAttrs;
  const passes: TargetSessionAttrs[] = wanted === "prefer-standby" ? ["standby", "any"] : [wanted];

  for (const target of passes) {
    for (const index of order) {
      const outcome = await tryHost(index, target);
      if (outcome === "stop") return null;
      if (outcome !== "next") return outcome.connection;
    }
  }
  return null;

  async function tryHost(
    index: number,
    target: TargetSessionAttrs,
  ): Promise<"next" | "stop" | { connection: Connection }> {
    const server = settings.hosts[index]!;
    let addresses: Address[];
    try {
      addresses = await withinAddressLimit((limited) => addressesOf(server, limited));
    } catch (error) {
      return note(describeHost(server), error);
    }
    if (settings.loadBalanceHosts) shuffle(addresses);
    for (const address of addresses) {
      try {
        const connection = await withinAddressLimit(
          async (limited) => await tryAddress({ server, address }, limited),
        );
        return { connection };
      } catch (error) {
        const outcome = note(describeEndpoint(server, address), error);
        if (outcome === "stop" || (error instanceof ConnectFailure && error.options.next === "host"))
          return outcome;
      }
    }
    return "next";

    async function tryAddress(endpoint: Endpoint, limited: AbortSignal): Promise<Connection> {
      const [first, second] = encryptionsOf(settings, endpoint.address);
      const base = {
        ...endpoint,
        target,
        password: settings.passwords[index] ?? null,
        passwordSource: settings.passwordSources?.[index] ?? null,
      };
      try {
        return await attempt({ ...base, encryption: first }, limited);
      } catch (error) {
        const again = error instanceof ConnectFailure && error.options.otherEncryption === true;
        if (second === undefined || !again) throw error;
        note(describeEndpoint(endpoint.server, endpoint.address), error);
        return await attempt({ ...base, encryption: second }, limited);
      }
    }
  }

  function note(server: string, error: unknown): "next" | "stop" {
    signal.throwIfAborted();
    if (!(error instanceof ConnectFailure)) throw error;
    failed.push({ server, failure: error });
    return error.options.next === "stop" ? "stop" : "next";
  }

  async function withinAddressLimit<Value>(work: (limited: AbortSignal) => Promise<Value>): Promise<Value> {
    const ms = settings.connectTimeoutSeconds * 1000 || DEFAULT_ADDRESS_LIMIT_MS;
    const expired = new ConnectFailure("no answer in time", {
      next: "address",
      retryable: true,
      code: "ETIMEDOUT",
      hint: "is a firewall in between? connect_timeout= sets the seconds to wait",
    });
    const limit = startTimeLimit(ms, expired, signal);
    try {
      return await work(limit.signal);
    } finally {
      limit.clear();
    }
  }
}

/** What to try first at an address, and what then if the first fails for its encryption. */
function encryptionsOf({ sslmode }: ConnectionSettings, address: Address): [Encryption, Encryption?] {
  if (address.kind === "unix" || sslmode === "disable") return ["none"];
  if (sslmode === "allow") return ["none", "demanded"];
  if (sslmode === "prefer") return ["offered", "none"];
  return ["demanded"];
}

function describeEndpoint(server: HostSettings, address: Address): string {
  const name = describeHost(server);
  const known = address.kind === "unix" || server.hostaddr !== null || server.host === address.ip;
  return known ? name : `${name} (${address.ip})`;
}

function shuffle(items: unknown[]): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
}
