import { GodwitError } from "../core/error.ts";
import { expand } from "./expand.ts";
import { environmentParameters } from "./environment-database.ts";
import { portFault } from "./port.ts";
import type { Config, DatabaseParameters, DatabaseSource } from "./types.ts";

/**
 * Says how to reach the database of a stream; expands the variables of its key, and of no other.
 * @param source a stream's `database` or `directUrl`.
 * @throws GodwitError VARIABLE_UNSET; CONFIG_INVALID for a malformed key; DATABASE_NOT_CONFIGURED when nothing,
 * or only a part, says where the database is. No message shows a value.
 */
export function databaseParameters(source: DatabaseSource, config: Config): DatabaseParameters {
  if (source.kind === "embedded") return { embedded: true };
  if (source.kind === "environment") return environmentParameters(config.env);
  if (source.kind === "object") return objectParameters(source, config);
  return stringParameters(expand(source.value, config.env, source.key).trim(), source.key);
}

/**
 * How to reach the database of a stream past a pooler.
 * @returns null when the stream has no `direct_url`, or one whose variables leave it empty (`${DIRECT_URL:-}`).
 * @throws GodwitError as {@link databaseParameters} does.
 */
export function directParameters(source: DatabaseSource | null, config: Config): DatabaseParameters | null {
  if (source === null) return null;
  if (source.kind === "string" && expand(source.value, config.env, source.key).trim() === "") return null;
  return databaseParameters(source, config);
}

function stringParameters(value: string, key: string): DatabaseParameters {
  if (value === "embedded") return { embedded: true };
  if (value === "") throw emptyKey(key);
  return { conninfo: value };
}

function objectParameters(
  source: DatabaseSource & { readonly kind: "object" },
  config: Config,
): DatabaseParameters {
  const parameters: Record<string, string> = {};
  for (const [part, keyword] of KEYWORDS) {
    const written = source[part];
    if (written === null) continue;
    const key = `${source.key}.${part}`;
    const value = expand(written, config.env, key);
    // To libpq an empty parameter is one that was not given (manual 32.1.2).
    if (value === "") continue;
    if (part === "port" && portFault(value) !== null) {
      throw new GodwitError("CONFIG_INVALID", `${key} ${portFault(value)}`, {
        hint: "the port of PostgreSQL is 5432 by default",
      });
    }
    parameters[keyword] = value;
  }
  if (parameters["dbname"] === undefined) throw emptyKey(`${source.key}.name`);
  return { parameters };
}

const KEYWORDS = [
  ["host", "host"],
  ["port", "port"],
  ["name", "dbname"],
  ["user", "user"],
  ["password", "password"],
] as const;

function emptyKey(key: string): GodwitError {
  return new GodwitError("DATABASE_NOT_CONFIGURED", `${key} is empty`, {
    hint: "give the variable it uses a value, or remove the key to use DATABASE_URL",
  });
}
