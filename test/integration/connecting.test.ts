import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { interrupted } from "../../src/core/interrupt.ts";
import { cancelQuery } from "../../src/postgres/cancel.ts";
import { resolveConnection } from "../../src/postgres/conninfo/resolve.ts";
import { connect, isRetryableConnectError } from "../../src/postgres/connect.ts";
import type { ConnectionSettings } from "../../src/postgres/types.ts";
import { AWKWARD_PASSWORD, createWorld } from "./connections/world.ts";

const world = await createWorld();
afterAll(async () => await world.stop());

const NAME = { applicationName: "test" };
const alice = `host=127.0.0.1 port=${world.main.port} user=alice password=secret`;

async function settingsOf(conninfo: string): Promise<ConnectionSettings> {
  return await resolveConnection({ conninfo }, { HOME: world.directory });
}

async function failure(
  conninfo: string,
  options: Partial<Parameters<typeof connect>[1]> = {},
): Promise<unknown> {
  return await connect(await settingsOf(conninfo), { ...NAME, ...options }).then(
    async (client) => await client.end(),
    (error: unknown) => error,
  );
}

/** An AuthenticationRequest of a kind, with what belongs to it. */
const authentication = (kind: number, rest = ""): Buffer => {
  const body = Buffer.from(rest, "latin1");
  const message = Buffer.alloc(9);
  message.write("R");
  message.writeInt32BE(8 + body.length, 1);
  message.writeInt32BE(kind, 5);
  return Buffer.concat([message, body]);
};

describe("connect", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("reads nothing from the environment of the process", async () => {
    const misleading = {
      PGHOST: "nowhere.invalid",
      PGPORT: "1",
      PGUSER: "nobody",
      PGDATABASE: "nowhere",
      PGPASSWORD: "wrong",
      PGOPTIONS: "-c nonsense=1",
      PGAPPNAME: "wrong",
      PGSSLMODE: "verify-full",
      PGSSLNEGOTIATION: "direct",
      PGREPLICATION: "database",
      PGCLIENT_ENCODING: "LATIN1",
      PGCONNECT_TIMEOUT: "1",
      PGBINARY: "true",
    };
    for (const [name, value] of Object.entries(misleading)) vi.stubEnv(name, value);
    const client = await connect(await settingsOf(`${alice} dbname=shop`), NAME);
    const { rows } = await client.query(
      "SELECT current_user, current_database(), current_setting('application_name') AS name, 1::int AS one, now() IS NULL AS b",
    );
    expect(rows).toEqual([
      { current_user: "alice", current_database: "shop", name: "test", one: "1", b: "f" },
    ]);
    await client.end();
  });

  it("does not send the password of the environment where none is given", async () => {
    vi.stubEnv("PGPASSWORD", "secret");
    expect(await failure(`${alice} password=''`)).toMatchObject({ code: "DATABASE_UNREACHABLE" });
  });

  it.each([
    ["password=wrong", "28P01", /password came from the connection string/, false],
    ["dbname=nowhere", "3D000", /createdb -h 127\.0\.0\.1 -p \d+ -U alice nowhere/, false],
    ["port=1", undefined, /is the server running/, true],
    ["host=nowhere.invalid", undefined, /check the host name/, true],
    [`sslmode=verify-ca sslrootcert=${world.otherAuthority.certificate}`, undefined, /sslrootcert=/, false],
    ["target_session_attrs=standby", undefined, /target_session_attrs/, true],
    [`port=${world.silentPort} connect_timeout=1`, undefined, /firewall/, true],
  ])("explains %s", async (conninfo, sqlstate, hint, retryable) => {
    const error = await failure(`${alice} ${conninfo}`);
    expect(error).toMatchObject({
      code: "DATABASE_UNREACHABLE",
      sqlstate,
      hint: expect.stringMatching(hint),
    });
    expect(isRetryableConnectError(error)).toBe(retryable);
  });

  it("explains a server without free connections, which may pass", async () => {
    const options = "options='-c search_path=x'";
    const admin = await connect(await settingsOf(world.main.conninfo), NAME);
    await admin.query("ALTER ROLE alice CONNECTION LIMIT 0");
    const error = await failure(`${alice} ${options}`);
    await admin.query("ALTER ROLE alice CONNECTION LIMIT -1");
    await admin.end();
    expect(error).toMatchObject({ sqlstate: "53300", hint: expect.stringMatching(/max_connections/) });
    expect(isRetryableConnectError(error)).toBe(true);
  });

  it("never shows a password", async () => {
    const conninfo = `postgres://awkward:${encodeURIComponent(AWKWARD_PASSWORD)}x@127.0.0.1:${world.main.port}/shop`;
    const error = await failure(conninfo);
    expect(String(error)).toContain("password authentication failed");
    expect(JSON.stringify(error) + String(error)).not.toContain(AWKWARD_PASSWORD.slice(0, 6));
  });

  it("lists every server with its reason", async () => {
    const error = await failure(`host=127.0.0.1,nowhere.invalid,127.0.0.1 port=1,2,3 user=x`);
    expect(String(error)).toMatch(
      /could not connect to x as x: 127\.0\.0\.1:1: connection refused; nowhere\.invalid:2: .*; 127\.0\.0\.1:3: connection refused/,
    );
  });

  it("gives up after timeoutMs in all, and may be tried again", async () => {
    const started = performance.now();
    const error = await failure(`host=127.0.0.1 port=${world.silentPort} user=x`, { timeoutMs: 150 });
    expect(performance.now() - started).toBeLessThan(8000);
    expect(String(error)).toMatch(/gave up after 150 ms/);
    expect(isRetryableConnectError(error)).toBe(true);
  });

  it.each(["prefer", "disable"])("ends at once when it is interrupted, with sslmode=%s", async (mode) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(interrupted("SIGINT")), 50);
    const started = performance.now();
    const error = await failure(`host=127.0.0.1 port=${world.silentPort} user=x sslmode=${mode}`, {
      signal: controller.signal,
    });
    expect(error).toMatchObject({ code: "INTERRUPTED" });
    expect(performance.now() - started).toBeLessThan(8000);
    expect(isRetryableConnectError(error)).toBe(false);
  });

  it("does not begin when it is interrupted already", async () => {
    expect(await failure(alice, { signal: AbortSignal.abort(interrupted("SIGTERM")) })).toMatchObject({
      code: "TERMINATED",
    });
  });

  it("spreads connections over hosts with load_balance_hosts=random", async () => {
    const { main, plain, password } = world;
    const settings = await settingsOf(
      `host=127.0.0.1,127.0.0.1 port=${main.port},${plain.port} user=postgres password=${password} load_balance_hosts=random`,
    );
    const ports = new Set<unknown>();
    for (let attempt = 0; attempt < 60 && ports.size < 2; attempt++) {
      const client = await connect(settings, NAME);
      ports.add((await client.query<{ port: string }>("SELECT inet_server_port() AS port")).rows[0]?.port);
      await client.end();
    }
    expect(ports.size).toBe(2);
  });

  it("survives the loss of an idle connection", async () => {
    const client = await connect(await settingsOf(alice), NAME);
    const admin = await connect(await settingsOf(world.main.conninfo), NAME);
    const ended = new Promise((resolve) => client.once("end", () => resolve("ended")));
    await admin.query(`SELECT pg_terminate_backend(${Reflect.get(client, "processID")})`);
    await admin.end();
    await expect(ended).resolves.toBe("ended");
    await expect(client.query("SELECT 1")).rejects.toThrow(/not queryable|terminat/);
  });
});

describe("connect to something that is no PostgreSQL server", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(answer: (socket: Socket, data: Buffer) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined).on("data", (data) => answer(socket, data));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  it.each<[string, string, (socket: Socket) => void, RegExp, boolean]>([
    [
      "a web server",
      "prefer",
      (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
      /does not speak/,
      false,
    ],
    [
      "a web server without TLS",
      "disable",
      (socket) => socket.end("HTTP/1.1 400 Bad\r\n\r\n"),
      /does not speak/,
      false,
    ],
    ["a server that hangs up", "disable", (socket) => socket.end(), /closed the connection/, true],
    ["a server that hangs up on TLS", "require", (socket) => socket.end(), /closed the connection/, true],
    [
      "bytes injected behind the answer",
      "require",
      (socket) => socket.write("SX"),
      /unencrypted data/,
      false,
    ],
    ["no TLS after it was agreed to", "require", (socket) => socket.write("S"), /no answer in time/, true],
    [
      "an error instead of the answer",
      "prefer",
      (socket) => socket.write("E\0\0\0\x05"),
      /reported an error/,
      true,
    ],
    ["GSSAPI", "disable", (socket) => socket.write(authentication(7)), /GSSAPI/, false],
    [
      "OAuth alone",
      "disable",
      (socket) => socket.write(authentication(10, "OAUTHBEARER\0\0")),
      /SCRAM-SHA-256/,
      false,
    ],
  ])("%s", async (_, sslmode, answer, reason, retryable) => {
    const port = await listen(answer);
    const error = await failure(
      `host=127.0.0.1 port=${port} user=x password=secret sslmode=${sslmode} connect_timeout=1`,
    );
    expect(error).toMatchObject({ code: "DATABASE_UNREACHABLE", message: expect.stringMatching(reason) });
    expect(isRetryableConnectError(error)).toBe(retryable);
  });

  it("gives no password to a server that should bind the channel", async () => {
    const received: Buffer[] = [];
    const port = await listen((socket, data) => {
      received.push(data);
      if (received.length === 1) socket.write("N");
      else socket.write(authentication(3));
    });
    const error = await failure(
      `host=127.0.0.1 port=${port} user=x password=topsecret channel_binding=require`,
    );
    expect(String(error)).toContain("channel binding");
    expect(Buffer.concat(received).toString("latin1")).not.toContain("topsecret");
  });
});

describe("cancelQuery", () => {
  it.each([
    ["over TLS", `${alice} sslmode=require`],
    ["without TLS", `${alice} sslmode=disable`],
    ["over a Unix socket", `${alice} host=${world.main.socketDirectory}`],
  ])("cancels a statement %s", async (_, conninfo) => {
    const settings = await settingsOf(conninfo);
    const client = await connect(settings, NAME);
    const sleeping = client.query("SELECT pg_sleep(60)").catch((error: unknown) => error);
    // Until the statement has begun there is nothing to cancel.
    const repeat = setInterval(() => void cancelQuery(client, settings).catch(() => undefined), 50);
    expect(await sleeping).toMatchObject({ code: "57014" });
    clearInterval(repeat);
    await client.end();
  });

  it("gives up on a server that does not answer", async () => {
    const settings = await settingsOf(alice);
    const client = await connect(settings, NAME);
    await expect(cancelQuery(client, settings, { timeoutMs: 0 })).rejects.toMatchObject({
      code: "DATABASE_UNREACHABLE",
    });
    await client.end();
  });
});
