import type { HostSettings } from "../types.ts";
import type { ConninfoSystem } from "./system.ts";

export interface PasswordQuery {
  readonly hosts: readonly HostSettings[];
  readonly user: string;
  readonly database: string;
  /** The folder whose socket counts as `localhost` in the file. */
  readonly defaultSocket: string;
}

export interface PasswordFileAnswer {
  /** One per host; null: the file has none for it. */
  readonly passwords: readonly (string | null)[];
  readonly warnings: readonly string[];
}

const GROUP_AND_OTHERS = 0o077;

/**
 * Looks passwords up in a password file (manual 32.16). A file that does not exist is no error; one that others
 * may read is ignored with a warning, as libpq does.
 */
export function readPasswordFile(
  file: string,
  query: PasswordQuery,
  system: ConninfoSystem,
): PasswordFileAnswer {
  const none = query.hosts.map(() => null);
  const facts = system.factsOf(file);
  if (facts === null) return { passwords: none, warnings: [] };
  if (system.platform !== "win32") {
    if (!facts.isFile) {
      return { passwords: none, warnings: [`the password file ${file} is ignored: it is not a plain file`] };
    }
    if ((facts.mode & GROUP_AND_OTHERS) !== 0) {
      const warning = `the password file ${file} is ignored: others may read it (chmod 600 ${file})`;
      return { passwords: none, warnings: [warning] };
    }
  }
  const text = system.readText(file);
  if (text === null) return { passwords: none, warnings: [] };
  return { passwords: query.hosts.map((host) => findPassword(text, host, query)), warnings: [] };
}

/** The password of the first line that fits: `host:port:database:user:password`, `*` fits anything. */
export function findPassword(text: string, server: HostSettings, query: PasswordQuery): string | null {
  const host = server.host || server.hostaddr || "";
  const wanted = [
    host === query.defaultSocket ? "localhost" : host,
    String(server.port),
    query.database,
    query.user,
  ];
  for (const raw of text.split("\n")) {
    const line = raw.replace(/\r+$/, "");
    if (line === "" || line.startsWith("#")) continue;
    const { fields, rest } = splitFields(line);
    if (fields.length < wanted.length) continue;
    if (wanted.every((value, index) => fields[index]!.raw === "*" || fields[index]!.text === value)) {
      return unescapeField(rest);
    }
  }
  return null;
}

interface Field {
  readonly raw: string;
  readonly text: string;
}

/** The first four fields, and what stands behind them. */
function splitFields(line: string): { fields: Field[]; rest: string } {
  const fields: Field[] = [];
  let at = 0;
  while (fields.length < 4) {
    const match = /^((?:\\.|[^:\\]|\\$)*):/s.exec(line.slice(at));
    if (match === null) break;
    fields.push({ raw: match[1]!, text: unescapeField(match[1]!) });
    at += match[0].length;
  }
  return { fields, rest: line.slice(at) };
}

/** Takes backslashes away, up to the next plain colon: libpq ends a password there. */
function unescapeField(raw: string): string {
  let text = "";
  for (let at = 0; at < raw.length && raw[at] !== ":"; at++) {
    if (raw[at] === "\\" && at + 1 < raw.length) at++;
    text += raw[at]!;
  }
  return text;
}
