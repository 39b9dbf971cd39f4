import { isKeyword } from "./keywords.ts";
import { invalid, unsupported } from "./setting.ts";
import { userFile } from "./system.ts";
import type { ConninfoSystem, Environment } from "./system.ts";
import { unknownKeyword } from "./unknown-keyword.ts";

/** Where libpq's packages look for the service file of the whole system: Debian and Ubuntu, Fedora and PGDG. */
const SYSTEM_DIRECTORIES = ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];

interface ServiceDefinition {
  readonly file: string;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Finds a service (manual 32.17): in PGSERVICEFILE or else ~/.pg_service.conf, then in pg_service.conf of
 * PGSYSCONFDIR or else of the folders that PostgreSQL's packages use.
 * @throws GodwitError CONNECTION_STRING_INVALID when no file defines it or its definition is malformed.
 */
export function findService(service: string, env: Environment, system: ConninfoSystem): ServiceDefinition {
  const named = env["PGSERVICEFILE"];
  const own = named ?? userFile("service", env, system);
  const systemWide = env["PGSYSCONFDIR"] === undefined ? SYSTEM_DIRECTORIES : [env["PGSYSCONFDIR"]];
  const files = [...(own === null ? [] : [own]), ...systemWide.map((folder) => `${folder}/pg_service.conf`)];

  for (const file of files) {
    const text = system.readText(file);
    if (text === null) {
      if (file !== named) continue;
      throw invalid(`the service file ${file} cannot be read`, "correct PGSERVICEFILE or unset it");
    }
    const values = parseService(text, service, file);
    if (values !== null) return { file, values };
  }
  throw invalid(
    `the service "${service}" is not defined`,
    `define it as [${service}] in ${files.join(" or ")}`,
  );
}

/**
 * Reads one section of a service file: `keyword=value` lines without quoting, `#` comments, the first of two
 * equal keywords wins. Null when the file has no such section.
 */
function parseService(text: string, service: string, file: string): Map<string, string> | null {
  let values: Map<string, string> | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (values !== null) break;
      if (line.startsWith(`[${service}]`)) values = new Map();
    } else if (values !== null) {
      readLine(line, `${file}:${index + 1}`, values);
    }
  }
  return values;
}

function readLine(line: string, where: string, values: Map<string, string>): void {
  if (line.startsWith("ldap")) {
    throw unsupported(`${where} asks an LDAP server for the service`, "write the parameters into the file");
  }
  const equals = line.indexOf("=");
  if (equals === -1) throw invalid(`${where} is not keyword=value`, "write one keyword=value a line");
  const keyword = line.slice(0, equals);
  if (keyword === "service") {
    throw invalid(`${where} names another service`, "write that service's parameters out here");
  }
  if (isKeyword(keyword.trim()) && !isKeyword(keyword)) {
    throw invalid(`${where} has a space before "="`, "write keyword=value without spaces around =");
  }
  if (!isKeyword(keyword)) throw unknownKeyword(keyword, where);
  if (!values.has(keyword)) values.set(keyword, line.slice(equals + 1));
}
