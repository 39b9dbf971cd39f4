import type { ConnectionSettings, TargetSessionAttrs } from "../types.ts";
import { allowedAuthentication } from "./authentication.ts";
import { defaultHost, listHosts } from "./hosts.ts";
import { parseKeyValue } from "./key-value.ts";
import { isKeyword, KEYWORDS, SESSION_VARIABLES } from "./keywords.ts";
import { readPasswordFile } from "./password-file.ts";
import { findService } from "./service-file.ts";
import { choiceOf, integerOf, invalid, originOf, textOf } from "./setting.ts";
import type { Setting, Settings } from "./setting.ts";
import { realSystem, userFile } from "./system.ts";
import type { ConninfoSystem, Environment } from "./system.ts";
import { tlsSettings } from "./tls-settings.ts";
import { unknownKeyword } from "./unknown-keyword.ts";
import { refuseUnsupported } from "./unsupported.ts";
import { isUri, parseUri } from "./uri.ts";

export interface ConnectionInput {
  /** A URI, a `keyword=value` string, or (without `=`) the name of a database, as psql takes it. */
  readonly conninfo?: string;
  /** Values by keyword, stronger than the string; an empty one counts as not given. `dbname` is never parsed. */
  readonly parameters?: Readonly<Record<string, string>>;
}

const TARGETS: readonly TargetSessionAttrs[] = [
  "any",
  "read-write",
  "read-only",
  "primary",
  "standby",
  "prefer-standby",
];

/**
 * Decides how to connect, by libpq's rules (PostgreSQL 18, manual 32.1, 32.2, 32.15 to 32.19): what is given
 * explicitly, then the service, then PG* variables, then defaults. Reads the service and password files, connects
 * to nothing. What Godwit does not support is refused by name wherever it was asked for.
 * @param env the environment; the process's own is not read.
 * @throws GodwitError CONNECTION_STRING_INVALID, CONNECTION_OPTION_UNSUPPORTED
 */
export async function resolveConnection(
  input: ConnectionInput,
  env: Environment,
  system: ConninfoSystem = realSystem,
): Promise<ConnectionSettings> {
  const settings = collect(input, env, system);
  refuseUnsupported(settings);

  const user = textOf(settings, "user") ?? system.userName();
  if (user === null) {
    throw invalid(
      "no user is given, and the operating system knows no name of this one",
      "set user= or PGUSER",
    );
  }
  const database = textOf(settings, "dbname") ?? user;
  const socket = defaultHost(system);
  const hosts = listHosts(settings, socket);
  const secrets = passwordsFor(settings, env, system, { hosts, user, database, defaultSocket: socket });
  return {
    hosts,
    user,
    database,
    ...secrets,
    ...tlsSettings(settings, env, system),
    channelBinding: choiceOf(settings, "channel_binding", ["disable", "prefer", "require"], "prefer"),
    allowedAuthentication: allowedAuthentication(settings),
    targetSessionAttrs: choiceOf(settings, "target_session_attrs", TARGETS, "any"),
    loadBalanceHosts: choiceOf(settings, "load_balance_hosts", ["disable", "random"], "disable") === "random",
    connectTimeoutSeconds: Math.max(0, integerOf(settings, "connect_timeout", 0)),
    applicationName: textOf(settings, "application_name") ?? textOf(settings, "fallback_application_name"),
    options: textOf(settings, "options"),
    keepalives: integerOf(settings, "keepalives", 1) !== 0,
    keepalivesIdleSeconds: Math.max(0, integerOf(settings, "keepalives_idle", 0)),
    startupParameters: startupParameters(env),
  };
}

function collect(input: ConnectionInput, env: Environment, system: ConninfoSystem): Settings {
  const settings = new Map<string, Setting>();
  for (const [keyword, value] of Object.entries(input.parameters ?? {})) {
    if (!isKeyword(keyword)) throw unknownKeyword(keyword, "the connection parameters");
    if (value.includes("\0")) {
      // It would end the value within the start-up message and begin a parameter of its own.
      throw invalid(`the connection parameter ${keyword} has a zero byte`, "leave it out");
    }
    if (value !== "") settings.set(keyword, { value, source: { kind: "parameters" } });
  }
  const conninfo = input.conninfo ?? "";
  if (conninfo.includes("\0")) throw invalid("the connection string has a zero byte", "leave it out");
  for (const [keyword, value] of parseConninfo(conninfo)) {
    if (!settings.has(keyword)) settings.set(keyword, { value, source: { kind: "string" } });
  }

  const service = settings.get("service")?.value ?? env["PGSERVICE"];
  if (service !== undefined) {
    const { file, values } = findService(service, env, system);
    for (const [keyword, value] of values) {
      if (!settings.has(keyword))
        settings.set(keyword, { value, source: { kind: "service", service, file } });
    }
  }

  for (const [keyword, variable] of Object.entries(KEYWORDS)) {
    const value = variable === null ? undefined : env[variable];
    if (variable === null || value === undefined || settings.has(keyword)) continue;
    settings.set(keyword, { value, source: { kind: "environment", variable } });
  }
  return settings;
}

function parseConninfo(conninfo: string): ReadonlyMap<string, string> {
  if (isUri(conninfo)) return parseUri(conninfo);
  const scheme = /^\s*(?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(conninfo);
  if (scheme !== null) {
    throw invalid(
      `the connection URL begins with "${scheme[0].trim()}"`,
      "begin it with postgresql:// (or postgres://), in lower case and without a driver's name",
    );
  }
  if (conninfo.includes("=")) return parseKeyValue(conninfo);
  return new Map(conninfo === "" ? [] : [["dbname", conninfo]]);
}

type PasswordSettings = Required<Pick<ConnectionSettings, "passwords" | "passwordSources" | "warnings">>;

function passwordsFor(
  settings: Settings,
  env: Environment,
  system: ConninfoSystem,
  query: Parameters<typeof readPasswordFile>[1],
): PasswordSettings {
  const given = settings.get("password");
  if (given !== undefined && given.value !== "") {
    const source = originOf(given.source);
    return {
      passwords: query.hosts.map(() => given.value),
      passwordSources: query.hosts.map(() => source),
      warnings: [],
    };
  }
  const file = textOf(settings, "passfile") ?? userFile("passfile", env, system);
  const { passwords, warnings } =
    file === null
      ? { passwords: query.hosts.map(() => null), warnings: [] }
      : readPasswordFile(file, query, system);
  return {
    passwords,
    passwordSources: passwords.map((password) => (password === null ? null : `the password file ${file}`)),
    warnings,
  };
}

function startupParameters(env: Environment): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [variable, parameter] of Object.entries(SESSION_VARIABLES)) {
    const value = env[variable];
    // libpq: the word "default" stands for not sending the parameter.
    if (value !== undefined && value.toLowerCase() !== "default") parameters[parameter] = value;
  }
  return parameters;
}
