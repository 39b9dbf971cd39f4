import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConnectionSettings } from "../types.ts";
import { memorySystem } from "./memory-system.ts";
import type { MemoryFile } from "./memory-system.ts";
import { resolveConnection } from "./resolve.ts";
import type { Environment } from "./system.ts";

async function resolve(
  conninfo: string,
  env: Environment = {},
  files: Readonly<Record<string, string | MemoryFile>> = {},
): Promise<ConnectionSettings> {
  return await resolveConnection({ conninfo }, env, memorySystem(files));
}

describe("resolveConnection", () => {
  it("fills in everything that is not given", async () => {
    expect(await resolve("")).toEqual({
      hosts: [{ host: "/tmp", hostaddr: null, port: 5432 }],
      user: "me",
      database: "me",
      passwords: [null],
      passwordSources: [null],
      warnings: [],
      sslmode: "prefer",
      sslnegotiation: "postgres",
      sslrootcert: "/people/me/.postgresql/root.crt",
      sslcert: "/people/me/.postgresql/postgresql.crt",
      sslkey: "/people/me/.postgresql/postgresql.key",
      sslpassword: null,
      sslsni: true,
      sslcrl: "/people/me/.postgresql/root.crl",
      sslMinProtocolVersion: "TLSv1.2",
      channelBinding: "prefer",
      allowedAuthentication: null,
      targetSessionAttrs: "any",
      loadBalanceHosts: false,
      connectTimeoutSeconds: 0,
      applicationName: null,
      options: null,
      keepalives: true,
      keepalivesIdleSeconds: 0,
      startupParameters: {},
    });
  });

  it("uses the socket folder of the system's packages where there is one", async () => {
    const settings = await resolve("user=a host=,/tmp", {}, { "/var/run/postgresql/": "" });
    expect(settings.hosts.map(({ host }) => host)).toEqual(["/var/run/postgresql", "/tmp"]);
  });

  it("uses localhost and %APPDATA% on Windows", async () => {
    const system = memorySystem(
      { "C:\\Data\\postgresql\\pgpass.conf": "*:*:*:*:secret" },
      { platform: "win32" },
    );
    const settings = await resolveConnection({}, { APPDATA: "C:\\Data" }, system);
    expect(settings).toMatchObject({ hosts: [{ host: "localhost" }], passwords: ["secret"] });
    expect(settings.sslrootcert).toBe("C:\\Data\\postgresql\\root.crt");
  });

  it("asks for a user where the system knows no name", async () => {
    const nameless = memorySystem({}, { userName: () => null });
    await expect(resolveConnection({}, {}, nameless)).rejects.toMatchObject({
      code: "CONNECTION_STRING_INVALID",
      hint: "set user= or PGUSER",
    });
    await expect(resolveConnection({}, { PGUSER: "x" }, nameless)).resolves.toMatchObject({ user: "x" });
  });

  it("puts parameters before the string, and takes a name with = in them for a name", async () => {
    const settings = await resolveConnection(
      { conninfo: "host=a user=b dbname=c", parameters: { dbname: "x=y", user: "", password: "p" } },
      {},
      memorySystem(),
    );
    expect(settings).toMatchObject({ database: "x=y", user: "b", passwords: ["p"] });
    expect(settings.passwordSources).toEqual(["the connection parameters"]);
  });

  it("warns of a password file that others may read", async () => {
    const { passwords, warnings } = await resolve(
      "",
      {},
      { "/people/me/.pgpass": { text: "*:*:*:*:x", mode: 0o644 } },
    );
    expect(passwords).toEqual([null]);
    expect(warnings).toEqual([
      "the password file /people/me/.pgpass is ignored: others may read it (chmod 600 /people/me/.pgpass)",
    ]);
  });

  it("takes the default socket for localhost in the password file", async () => {
    const settings = await resolve("", {}, { "/people/me/.pgpass": "localhost:5432:me:me:yes\n" });
    expect(settings).toMatchObject({
      passwords: ["yes"],
      passwordSources: ["the password file /people/me/.pgpass"],
    });
  });

  it("reads a service from the folder of the system's packages", async () => {
    const file = "/etc/postgresql-common/pg_service.conf";
    expect(await resolve("service=s", {}, { [file]: "[s]\nhost=h\nport=7" })).toMatchObject({
      hosts: [{ host: "h", port: 7 }],
    });
  });

  it.each([
    ["gssencmode=require", "GSSAPI"],
    ["krbsrvname=pg", "GSSAPI"],
    ["gsslib=gssapi", "GSSAPI"],
    ["gssdelegation=1", "GSSAPI"],
    ["replication=database", "ordinary session"],
    ["sslcrldir=/crl", "single file"],
    ["sslcompression=1", "insecure"],
    ["sslcertmode=require", "asked for a certificate"],
    ["sslkeylogfile=/keys", "TLS secrets"],
    ["sslkey=pkcs11:key", "OpenSSL engine"],
    ["requirepeer=postgres", "Unix socket"],
    ["tcp_user_timeout=1000", "TCP_USER_TIMEOUT"],
    ["keepalives_interval=5", "interval"],
    ["keepalives_count=5", "number of keepalive"],
    ["client_encoding=LATIN1", "UTF8"],
    ["min_protocol_version=3.2", "3.0"],
    ["scram_client_key=x", "password itself"],
    ["scram_server_key=x", "password itself"],
    ["oauth_issuer=x", "OAuth"],
    ["oauth_client_id=x", "OAuth"],
    ["oauth_client_secret=x", "OAuth"],
    ["oauth_scope=x", "OAuth"],
    ["sslmode=no-verify", "libpq"],
  ])("refuses %s by name", async (option, why) => {
    const [keyword = ""] = option.split("=");
    await expect(resolve(option)).rejects.toMatchObject({
      code: "CONNECTION_OPTION_UNSUPPORTED",
      message: expect.stringMatching(new RegExp(`${keyword}.*${why}`)),
      hint: expect.any(String),
    });
    await expect(resolve(`postgres://h/d?${option}`)).rejects.toMatchObject({
      code: "CONNECTION_OPTION_UNSUPPORTED",
    });
  });

  it.each([
    ["PGGSSENCMODE", "require"],
    ["PGKRBSRVNAME", "pg"],
    ["PGGSSLIB", "gssapi"],
    ["PGREQUIREPEER", "postgres"],
    ["PGSSLCRLDIR", "/crl"],
    ["PGSSLCOMPRESSION", "1"],
    ["PGCLIENTENCODING", "SQL_ASCII"],
    ["PGMINPROTOCOLVERSION", "latest"],
    ["PGSSLCERTMODE", "require"],
  ])("refuses %s=%s by name", async (variable, value) => {
    await expect(resolve("", { [variable]: value })).rejects.toMatchObject({
      code: "CONNECTION_OPTION_UNSUPPORTED",
      message: expect.stringContaining(variable),
    });
  });

  it("lets the string take back what a variable asks for", async () => {
    await expect(resolve("gssencmode=disable", { PGGSSENCMODE: "require" })).resolves.toBeDefined();
  });

  it("takes values that change nothing", async () => {
    const harmless =
      "gssencmode=prefer krbsrvname=postgres gsslib='' sslcompression=0 tcp_user_timeout=0 keepalives_interval=0 " +
      "keepalives_count=0 replication=false client_encoding=auto min_protocol_version=3.0 max_protocol_version=latest " +
      "sslcertmode=allow gssdelegation=0 requirepeer='' oauth_issuer=''";
    await expect(resolve(harmless)).resolves.toBeDefined();
    await expect(resolve("client_encoding=utf-8")).resolves.toBeDefined();
  });

  it.each([
    ["postgres://h/d?schema=app", "CONNECTION_OPTION_UNSUPPORTED", "search_path"],
    ["postgres://h/d?pgbouncer=true", "CONNECTION_OPTION_UNSUPPORTED", "direct_url"],
    ["postgres://h/d?connection_limit=5", "CONNECTION_OPTION_UNSUPPORTED", "leave it out"],
    ["postgres://h/d?pool_timeout=5", "CONNECTION_OPTION_UNSUPPORTED", "leave it out"],
    ["postgres://h/d?uselibpqcompat=true", "CONNECTION_OPTION_UNSUPPORTED", "sslmode"],
    ["postgres://h/d?ssl=1", "CONNECTION_OPTION_UNSUPPORTED", "sslmode=require"],
    ["postgres://h/d?statement_timeout=5", "CONNECTION_OPTION_UNSUPPORTED", "--statement-timeout"],
    ["postgres://h/d?currentSchema=a", "CONNECTION_OPTION_UNSUPPORTED", "search_path"],
    ["sslmod=require", "CONNECTION_STRING_INVALID", "did you mean sslmode?"],
    ["aplication_name=x", "CONNECTION_STRING_INVALID", "did you mean application_name?"],
    [
      "postgres://h/d?targetSessionAttrs=any",
      "CONNECTION_STRING_INVALID",
      "did you mean target_session_attrs?",
    ],
    ["zzz=1", "CONNECTION_STRING_INVALID", "manual"],
    ["jdbc:postgresql://h/d", "CONNECTION_STRING_INVALID", "postgresql://"],
    ["postgresql+psycopg2://h/d", "CONNECTION_STRING_INVALID", "postgresql://"],
    ["POSTGRES://h/d", "CONNECTION_STRING_INVALID", "lower case"],
    ["mysql://h/d?a=b", "CONNECTION_STRING_INVALID", "postgresql://"],
    ["host=a port=1,2", "CONNECTION_STRING_INVALID", "one port"],
    ["sslnegotiation=direct", "CONNECTION_STRING_INVALID", "sslmode=require"],
    ["sslrootcert=system sslmode=require", "CONNECTION_STRING_INVALID", "verify-full"],
    ["require_auth=scram", "CONNECTION_STRING_INVALID", "scram-sha-256"],
    ["require_auth=md5,md5", "CONNECTION_STRING_INVALID", "list"],
  ])("says what is wrong with %s", async (conninfo, code, hint) => {
    await expect(resolve(conninfo)).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
  });

  it("makes sslrootcert=system verify everything", async () => {
    expect(await resolve("sslrootcert=system")).toMatchObject({
      sslmode: "verify-full",
      sslrootcert: "system",
    });
  });

  it.each([
    ["require_auth=scram-sha-256", ["scram-sha-256"]],
    ["require_auth=none,password", ["none", "password"]],
    ["require_auth=!password,!md5,!none", ["gss", "sspi", "scram-sha-256", "oauth"]],
    ["require_auth=''", null],
  ])("reads %s", async (conninfo, methods) => {
    expect((await resolve(conninfo)).allowedAuthentication).toEqual(methods);
  });

  it.each([
    "password=hunter trois=quatre",
    "password=hunter2 hunter3",
    "host=h password='hunter2",
    "postgres://me:hunter/2@host/db",
    "postgres://me:12/hunter@host/db",
    "postgres://me:hunter#2/3@host/db",
    "postgres://me:hunter%2@host/db",
    "postgres://me:hunter 2@host/db",
    "postgres://host/db?password=hunter2&hunter3",
    "postgres://host/db?password=hunter=2",
  ])("does not show the password of %s", async (conninfo) => {
    const error: unknown = await resolve(conninfo).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "CONNECTION_STRING_INVALID" });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/hunter|trois/);
  });

  const text = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed() && !value.includes("\0"));

  it("reads back any value from either form", async () => {
    await fc.assert(
      fc.asyncProperty(text, text, text, async (user, password, database) => {
        const values = Object.entries({ user, password, dbname: database });
        const quoted = values.map(
          ([key, value]) => `${key}='${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`,
        );
        const [u, p, d] = [user, password, database].map((value) => encodeURIComponent(value));
        const expected = {
          user: user || "me",
          passwords: [password || null],
          database: database || user || "me",
        };
        expect(await resolve(quoted.join(" "))).toMatchObject(expected);
        expect(await resolve(`postgres://${u}:${p}@h/${d}`)).toMatchObject(expected);
        expect(await resolve(`postgres://?user=${u}&password=${p}&dbname=${d}`)).toMatchObject(expected);
      }),
    );
  });

  it("never fails but with an error of its own, whatever it is fed", async () => {
    const pieces = fc.constantFrom(
      "postgres://",
      "postgresql://",
      "host",
      "=",
      "'",
      "\\",
      "@",
      ":",
      "/",
      "?",
      "&",
      "%",
      "[",
      "]",
      ",",
      " ",
      "sslmode",
      "password",
      "ssl",
      "port",
      "1",
    );
    const rubbish = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 20 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(rubbish, async (conninfo) => {
        const outcome: unknown = await resolve(conninfo).catch((error: unknown) => error);
        const ours = /^(?:CONNECTION_STRING_INVALID|CONNECTION_OPTION_UNSUPPORTED)$/;
        expect(outcome instanceof Error ? Reflect.get(outcome, "code") : "CONNECTION_STRING_INVALID").toMatch(
          ours,
        );
      }),
    );
  });
});
