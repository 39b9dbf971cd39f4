import { isIP } from "node:net";
import type { HostSettings } from "../types.ts";
import { invalid, nameOf, parseInteger, textOf } from "./setting.ts";
import type { Setting, Settings } from "./setting.ts";
import type { ConninfoSystem } from "./system.ts";

const DEFAULT_PORT = 5432;

/**
 * The host of a connection that names none. libpq compiles in one socket folder: /tmp as PostgreSQL ships it,
 * /var/run/postgresql as Debian, Ubuntu, Fedora and the PGDG packages build it. Godwit takes the latter where that
 * folder exists, since then it is the system's PostgreSQL that made it, else the former. Only one of them is tried:
 * anybody may put a socket into /tmp and wait for passwords (manual 18.7). On Windows it is localhost.
 */
export function defaultHost(system: ConninfoSystem): string {
  if (system.platform === "win32") return "localhost";
  const facts = system.factsOf("/var/run/postgresql");
  return facts?.isDirectory === true ? "/var/run/postgresql" : "/tmp";
}

/**
 * The servers to try, from the comma-separated lists of host, hostaddr and port (manual 32.1.1.3): as many ports as
 * hosts or one for all, as many hosts as addresses where both are given, an empty entry meaning the default.
 * @throws GodwitError CONNECTION_STRING_INVALID
 */
export function listHosts(settings: Settings, fallback: string): HostSettings[] {
  const names = listOf(settings, "host");
  const addresses = listOf(settings, "hostaddr");
  const ports = listOf(settings, "port");
  const count = addresses?.length ?? names?.length ?? 1;
  if (names !== null && names.length !== count) {
    throw invalid(
      `${names.length} hosts do not match ${count} addresses of ${nameOf("hostaddr", settings.get("hostaddr")!.source)}`,
      "give hostaddr as many entries as host, empty ones where the name is to be looked up",
    );
  }
  if (ports !== null && ports.length !== 1 && ports.length !== count) {
    throw invalid(
      `${ports.length} ports do not match ${count} ${count === 1 ? "host" : "hosts"}`,
      "give one port for all hosts, or one for each",
    );
  }
  return Array.from({ length: count }, (_, index) => {
    const hostaddr = addresses?.[index] || null;
    if (hostaddr !== null && isIP(hostaddr) === 0) {
      throw invalid(
        `${nameOf("hostaddr", settings.get("hostaddr")!.source)} is not a list of IP addresses`,
        "write a host name with host, an IP address with hostaddr",
      );
    }
    return {
      host: names?.[index] || (hostaddr === null ? fallback : ""),
      hostaddr,
      port: portOf((ports?.length === 1 ? ports[0] : ports?.[index]) ?? "", settings.get("port")),
    };
  });
}

function listOf(settings: Settings, keyword: string): string[] | null {
  return textOf(settings, keyword)?.split(",") ?? null;
}

function portOf(text: string, setting: Setting | undefined): number {
  if (text === "" || setting === undefined) return DEFAULT_PORT;
  const port = parseInteger(text);
  if (port === null || port < 1 || port > 65_535) {
    // The text is not shown: in a URL it is a piece of the password if that holds an unencoded / or @.
    throw invalid(
      `${nameOf("port", setting.source)} is not a number from 1 to 65535`,
      "write port=5432; in a URL, write @ : / ? # % of a password as %40 %3A %2F %3F %23 %25",
    );
  }
  return port;
}
