import { GodwitError } from "../core/error.ts";
import { portFault } from "./port.ts";
import type { DatabaseParameters } from "./types.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of libpq that say where to connect; the others (PGSSLMODE, PGOPTIONS …) only say how (manual 32.15). */
const WHERE = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"] as const;

const KEYWORD = { HOST: "host", PORT: "port", NAME: "dbname", USER: "user", PASSWORD: "password" } as const;
type Part = keyof typeof KEYWORD;
const PARTS: readonly Part[] = ["HOST", "PORT", "NAME", "USER", "PASSWORD"];

/** Names that other tools read and Godwit does not: worth a word when nothing else is set. */
const LOOKALIKES = [
  "DATABASE_URI",
  "DATABASE_DSN",
  "DB_URL",
  "DB_URI",
  "POSTGRES_URL",
  "POSTGRESQL_URL",
  "PG_URL",
  "DATABASE_CONNECTION_STRING",
] as const;

/**
 * The database that the environment names: `DATABASE_URL`; else libpq's own variables; else `DB_HOST`, `DB_PORT`,
 * `DB_NAME`, `DB_USER`, `DB_PASSWORD`, each also as `DATABASE_…`. An empty variable counts as unset.
 * @throws GodwitError DATABASE_NOT_CONFIGURED, CONFIG_INVALID for a port that is none.
 */
export function environmentParameters(env: Environment): DatabaseParameters {
  const url = present(env, "DATABASE_URL")?.trim();
  if (url === "embedded") return { embedded: true };
  if (url !== undefined) return { conninfo: url };
  if (WHERE.some((name) => present(env, name) !== undefined)) return {};

  const given = new Map<Part, { readonly variable: string; readonly value: string }>();
  for (const part of PARTS) {
    const variable = [`DB_${part}`, `DATABASE_${part}`].find((name) => present(env, name) !== undefined);
    if (variable !== undefined) given.set(part, { variable, value: env[variable]! });
  }
  const port = given.get("PORT");
  const fault = port === undefined ? null : portFault(port.value);
  // A platform's link to a service called "db" or "database" alone says nothing about what to migrate.
  if (given.size === 1 && fault !== null) given.clear();
  if (given.size === 0) throw nothingConfigured(env);

  refusePartial(given);
  if (port !== undefined && fault !== null) {
    throw new GodwitError("CONFIG_INVALID", `${port.variable} ${fault}`, {
      hint: `set ${port.variable} to the port, or use DATABASE_URL`,
    });
  }
  return {
    parameters: Object.fromEntries([...given].map(([part, { value }]) => [KEYWORD[part], value])),
  };
}

/** Host and database have no defaults worth guessing: libpq's are this machine and the name of the user. */
function refusePartial(given: ReadonlyMap<Part, { readonly variable: string }>): void {
  const missing = (["HOST", "NAME"] as const).filter((part) => !given.has(part));
  if (missing.length === 0) return;
  const variables = [...given.values()].map((one) => one.variable);
  const prefix = variables.some((variable) => variable.startsWith("DB_")) ? "DB_" : "DATABASE_";
  const wanted = missing.map((part) => `${prefix}${part}`);
  throw new GodwitError(
    "DATABASE_NOT_CONFIGURED",
    `${list(variables)} ${variables.length === 1 ? "is" : "are"} set, but ${list(wanted)} ${wanted.length === 1 ? "is" : "are"} not`,
    { hint: `set ${list(wanted)} too, or set DATABASE_URL, which goes before all of them` },
  );
}

function nothingConfigured(env: Environment): GodwitError {
  const lookalike = LOOKALIKES.find((name) => present(env, name) !== undefined);
  return new GodwitError(
    "DATABASE_NOT_CONFIGURED",
    "nothing says which database to migrate: neither DATABASE_URL nor PG* nor DB_* is set, and no configuration names one",
    {
      hint:
        lookalike === undefined
          ? "set DATABASE_URL (postgres://user:password@host:5432/database), or try without a server: godwit up --embedded"
          : `${lookalike} is set, which Godwit does not read: DATABASE_URL="$${lookalike}" godwit up; or try without a server: godwit up --embedded`,
    },
  );
}

function present(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value.trim() === "" ? undefined : value;
}

function list(words: readonly string[]): string {
  return words.length <= 1 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
