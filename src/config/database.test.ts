import { describe, expect, it } from "vitest";
import { isGodwitError } from "../core/error.ts";
import { databaseParameters, directParameters } from "./database.ts";
import type { Config, DatabaseSource } from "./types.ts";

type Environment = Record<string, string>;
const SECRET = "hunter2";

function configOf(env: Environment): Config {
  return {
    root: "/project",
    file: null,
    streams: [],
    historySchema: "godwit",
    lock: { provider: "auto", redis: null, leaseMs: 15_000 },
    safety: {
      lockTimeoutMs: 500,
      statementTimeoutMs: 0,
      maxBlockingMs: 2000,
      patientTimeoutMs: 3_600_000,
      cancelBlockersAfterMs: 0,
      terminateBlockersAfterMs: 0,
      tolerateExisting: false,
    },
    env,
  };
}
const fromEnvironment = (env: Environment) => databaseParameters({ kind: "environment" }, configOf(env));
const fromString = (value: string, env: Environment = {}) =>
  databaseParameters({ kind: "string", value, key: "database" }, configOf(env));

const OBJECT = {
  kind: "object",
  host: null,
  port: null,
  name: "shop",
  user: null,
  password: null,
  key: "streams.shop.database",
} as const satisfies DatabaseSource;

function errorOf(work: () => unknown): { code: string; message: string; hint: string } {
  try {
    work();
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    const { code, message, hint = "" } = error;
    if (`${message} ${hint}`.includes(SECRET)) throw new Error("a secret is shown", { cause: error });
    return { code, message, hint };
  }
  throw new Error("nothing was thrown");
}

describe("the database of the environment", () => {
  const url = "postgres://u@h/d";
  it.each<[string, Environment, unknown]>([
    ["DATABASE_URL", { DATABASE_URL: url }, { conninfo: url }],
    ["DATABASE_URL before all others", { DATABASE_URL: url, PGHOST: "x", DB_HOST: "y" }, { conninfo: url }],
    [
      "DATABASE_URL as it is",
      { DATABASE_URL: "postgres://u:${X}@h/d" },
      { conninfo: "postgres://u:${X}@h/d" },
    ],
    ["an empty DATABASE_URL as none", { DATABASE_URL: " ", PGHOST: "x" }, {}],
    ["embedded by DATABASE_URL", { DATABASE_URL: "embedded" }, { embedded: true }],
    ["PGHOST before DB_*", { PGHOST: "x", DB_HOST: "y", DB_NAME: "d" }, {}],
    ["PGDATABASE", { PGDATABASE: "d" }, {}],
    ["PGSERVICE", { PGSERVICE: "s" }, {}],
    ["PGUSER", { PGUSER: "u" }, {}],
    [
      "DB_* where PG* only says how",
      { PGSSLMODE: "require", PGPASSWORD: "p", PGAPPNAME: "a", DB_HOST: "h", DB_NAME: "d" },
      { parameters: { host: "h", dbname: "d" } },
    ],
    [
      "all of DB_*",
      { DB_HOST: "h", DB_PORT: "6543", DB_NAME: "d", DB_USER: "u", DB_PASSWORD: "p w" },
      { parameters: { host: "h", port: "6543", dbname: "d", user: "u", password: "p w" } },
    ],
    [
      "DATABASE_*",
      { DATABASE_HOST: "h", DATABASE_NAME: "d", DATABASE_USER: "u" },
      { parameters: { host: "h", dbname: "d", user: "u" } },
    ],
    [
      "DB_* before DATABASE_*, each variable by itself",
      { DB_HOST: "h", DATABASE_HOST: "no", DATABASE_NAME: "d", DB_USER: "", DATABASE_USER: "u" },
      { parameters: { host: "h", dbname: "d", user: "u" } },
    ],
  ])("is %s", (_, env, expected) => {
    expect(fromEnvironment(env)).toEqual(expected);
  });

  it("names DATABASE_URL and --embedded when nothing is set", () => {
    const error = errorOf(() => fromEnvironment({}));
    expect(error.code).toBe("DATABASE_NOT_CONFIGURED");
    expect(error.message).toContain("DATABASE_URL");
    expect(error.hint).toContain("DATABASE_URL");
    expect(error.hint).toContain("--embedded");
  });

  it("mentions a variable that other tools read", () => {
    const { hint } = errorOf(() => fromEnvironment({ POSTGRES_URL: `postgres://u:${SECRET}@h/d` }));
    expect(hint).toContain('DATABASE_URL="$POSTGRES_URL"');
  });

  it.each<[Environment, string]>([
    [{ DB_HOST: "h" }, "DB_HOST is set, but DB_NAME is not"],
    [{ DB_NAME: "d", DB_USER: "u" }, "DB_NAME and DB_USER are set, but DB_HOST is not"],
    [{ DB_PASSWORD: SECRET }, "DB_PASSWORD is set, but DB_HOST and DB_NAME are not"],
    [{ DATABASE_NAME: "d" }, "DATABASE_NAME is set, but DATABASE_HOST is not"],
  ])("says what is missing: %j", (env, message) => {
    expect(errorOf(() => fromEnvironment(env))).toMatchObject({ code: "DATABASE_NOT_CONFIGURED", message });
  });

  it("does not take a platform's service link for a setting", () => {
    const link = "tcp://10.0.0.7:5432";
    const { message } = errorOf(() => fromEnvironment({ DB_PORT: link }));
    expect(message).toContain("nothing says");
    const error = errorOf(() => fromEnvironment({ DB_PORT: link, DB_HOST: "h", DB_NAME: "d" }));
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(error.message).toContain("DB_PORT is a URL");
  });

  it.each(["0", "65536", "abc", "5432x", "-1"])("refuses the port %s", (port) => {
    expect(errorOf(() => fromEnvironment({ DB_HOST: "h", DB_NAME: "d", DB_PORT: port }))).toMatchObject({
      code: "CONFIG_INVALID",
      message: "DB_PORT is not a port: 1 to 65535",
    });
  });
});

describe("a database that the configuration names", () => {
  it("expands a connection string when it is used", () => {
    expect(fromString("postgres://${H}/d", { H: "h" })).toEqual({ conninfo: "postgres://h/d" });
    expect(fromString("${URL}", { URL: "embedded" })).toEqual({ embedded: true });
    expect(errorOf(() => fromString(`postgres://u:${SECRET}@\${H}/d`)).code).toBe("VARIABLE_UNSET");
    expect(errorOf(() => fromString("${URL:-}"))).toMatchObject({
      code: "DATABASE_NOT_CONFIGURED",
      message: "database is empty",
    });
  });

  it("turns the parts into libpq's words, without those that are empty", () => {
    const source: DatabaseSource = {
      ...OBJECT,
      host: "${H}",
      port: "${P:-5433}",
      user: "${U:-}",
      password: "${PW}",
    };
    expect(databaseParameters(source, configOf({ H: "h", PW: "$x{}" }))).toEqual({
      parameters: { host: "h", port: "5433", dbname: "shop", password: "$x{}" },
    });
  });

  it("names the part that is wrong", () => {
    expect(errorOf(() => databaseParameters({ ...OBJECT, password: "${PW}" }, configOf({})))).toMatchObject({
      code: "VARIABLE_UNSET",
      message: "streams.shop.database.password uses ${PW}, and PW is not set",
    });
    expect(errorOf(() => databaseParameters({ ...OBJECT, name: "${N:-}" }, configOf({})))).toMatchObject({
      code: "DATABASE_NOT_CONFIGURED",
      message: "streams.shop.database.name is empty",
    });
    expect(errorOf(() => databaseParameters({ ...OBJECT, port: SECRET }, configOf({})))).toMatchObject({
      code: "CONFIG_INVALID",
      message: "streams.shop.database.port is not a port: 1 to 65535",
    });
  });

  it("is embedded by name", () => {
    expect(databaseParameters({ kind: "embedded" }, configOf({}))).toEqual({ embedded: true });
  });
});

describe("direct_url", () => {
  const direct: DatabaseSource = { kind: "string", value: "${DIRECT_URL:-}", key: "direct_url" };
  it("may be left empty by its variable", () => {
    expect(directParameters(null, configOf({}))).toBeNull();
    expect(directParameters(direct, configOf({}))).toBeNull();
    expect(directParameters(direct, configOf({ DIRECT_URL: "host=h" }))).toEqual({ conninfo: "host=h" });
  });
});
