import type { GodwitError } from "../../core/error.ts";
import { isKeyword } from "./keywords.ts";
import { invalid } from "./setting.ts";
import { unknownKeyword } from "./unknown-keyword.ts";

const PREFIX = /^postgres(?:ql)?:\/\//;
const WHERE = "the connection URL";
const ENCODE = "write @ : / ? # % in user names and passwords as %40 %3A %2F %3F %23 %25";

/** Whether libpq takes the text for a connection URI (manual 32.1.1.2). */
export function isUri(text: string): boolean {
  return PREFIX.test(text);
}

/**
 * Reads a connection URI as libpq of PostgreSQL 18 does:
 * `postgresql://[user[:password]@][host][:port][,...][/database][?keyword=value&...]`. Host and port come back
 * as comma-separated lists. Spaces around a part are dropped, within a part they are an error.
 * One thing libpq takes is refused: a URL that reads like a password with `/` in it.
 * @throws GodwitError CONNECTION_STRING_INVALID, CONNECTION_OPTION_UNSUPPORTED
 */
export function parseUri(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const rest = text.replace(PREFIX, "");
  const store = (keyword: string, raw: string): void => {
    if (raw !== "") values.set(keyword, decode(raw, keyword));
  };

  const credentials = /^([^@/:]*)(?::([^@/]*))?@/.exec(rest);
  if (credentials) {
    store("user", credentials[1] ?? "");
    store("password", credentials[2] ?? "");
  } else if (/^[^@/?]*:[^@/?]*\/[^?]*@/.test(rest)) {
    throw invalid(`${WHERE} has an @ after the database's /`, ENCODE);
  }

  let at = credentials?.[0].length ?? 0;
  const takeUntil = (stop: RegExp): string => {
    const start = at;
    while (at < rest.length && !stop.test(rest[at]!)) at++;
    return rest.slice(start, at);
  };
  const hosts: string[] = [];
  const ports: string[] = [];
  do {
    if (hosts.length > 0) at++;
    hosts.push(rest[at] === "[" ? bracketed() : takeUntil(/[:/?,]/));
    if (rest[at] === ":") {
      at++;
      ports.push(takeUntil(/[/?,]/));
    } else ports.push("");
  } while (rest[at] === ",");
  store("host", hosts.join(","));
  if (ports.some((port) => port !== "")) store("port", ports.join(","));
  else if (ports.length > 1) values.set("port", ports.join(","));

  if (rest[at] === "/") {
    at++;
    store("dbname", takeUntil(/\?/));
  }
  if (rest[at] === "?") readParameters(rest.slice(at + 1), values);
  return values;

  function bracketed(): string {
    at++;
    const address = takeUntil(/\]/);
    if (rest[at] !== "]" || address === "") {
      throw invalid(`${WHERE} has no whole IPv6 address between [ and ]`, "write it as [2001:db8::1]:5432");
    }
    at++;
    if (at < rest.length && !/[:/?,]/.test(rest[at]!)) {
      throw invalid(`${WHERE} goes on in an unexpected way after ]`, "write [address]:port/database");
    }
    return address;
  }
}

function readParameters(query: string, values: Map<string, string>): void {
  const parts = query.split("&");
  // A trailing & is taken by libpq, an empty part elsewhere is not.
  if (parts.at(-1) === "") parts.pop();
  for (const part of parts) {
    const pieces = part.split("=");
    if (pieces.length !== 2) throw malformedParameter(pieces.length);
    const keyword = decode(pieces[0]!, "a parameter");
    if (keyword === "ssl" && pieces[1] === "true") values.set("sslmode", "require");
    else if (keyword === "requiressl")
      values.set("sslmode", pieces[1]!.startsWith("1") ? "require" : "prefer");
    else if (isKeyword(keyword)) values.set(keyword, decode(pieces[1]!, keyword));
    else throw unknownKeyword(keyword, WHERE);
  }
}

function malformedParameter(pieces: number): GodwitError {
  return pieces < 2
    ? invalid(`${WHERE} has a parameter without "="`, "write ?keyword=value&keyword=value")
    : invalid(`${WHERE} has a parameter with more than one "="`, "write = within a value as %3D");
}

/** Undoes percent-encoding. libpq passes bytes on as they are; here they must be UTF-8, the encoding we speak. */
function decode(raw: string, what: string): string {
  const text = raw.replaceAll(/^ +| +$/g, "");
  if (text.includes(" ")) {
    throw invalid(`${WHERE} has a space within ${what}`, "write it as %20");
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) {
    throw invalid(
      `${WHERE} has a % without two hexadecimal digits after it, in ${what}`,
      "write % itself as %25",
    );
  }
  if (text.includes("%00")) {
    throw invalid(`${WHERE} has %00 in ${what}`, "leave it out: PostgreSQL has no such text");
  }
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(
      `${WHERE} has percent-encoded bytes that are not UTF-8, in ${what}`,
      "percent-encode the UTF-8 form: é is %C3%A9",
    );
  }
}
