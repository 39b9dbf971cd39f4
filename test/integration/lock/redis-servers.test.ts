import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { isGodwitError } from "../../../src/core/error.ts";
import { openRedisGate } from "../../../src/lock/redis-gate.ts";
import { createAuthority } from "../../support/certificates.ts";
import { serverUrl } from "../../support/postgres.ts";
import { haveRedis, startRedis, type RedisServer, type RedisServerOptions } from "../../support/redis.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const present = haveRedis();
const about = present ? "" : " (no redis-server here, and none could be installed)";

/** `CODE: message → hint` of a gate that does not open; null: it opened, and let its holder in. */
async function refusalOf(url: string): Promise<string | null> {
  try {
    const gate = await openRedisGate({
      url,
      key: "migration_x_lock",
      value: "v",
      ttlMs: 60_000,
      connectWaitMs: 0,
    });
    expect(await gate.tryEnter()).toBe(true);
    expect(await gate.renew()).toBe("kept");
    await gate.close();
    return null;
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    return `${error.code}: ${error.message} → ${error.hint ?? ""}`;
  }
}

async function redisWith(options: RedisServerOptions): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis[Symbol.asyncDispose]());
  return redis;
}

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-redis-servers-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** URL of a server that does with its connections what it is told. */
async function impostor(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `redis://:hunter2@127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

describe.skipIf(!present)(`servers of Redis${about}`, () => {
  it("takes a user with the rights of the lock, and says which ones are missing", async () => {
    const redis = await redisWith({});
    const grant = "~migration_* +set +get +del +eval +info +select".split(" ");
    await redis.command("ACL", "SETUSER", "godwit", "on", ">pw", ...grant);
    await redis.command("ACL", "SETUSER", "mute", "on", ">pw", ...grant, "-info");
    await redis.command("ACL", "SETUSER", "poor", "on", ">pw", ...grant, "-eval");
    await redis.command("ACL", "SETUSER", "reader", "on", ">pw", ...grant, "-set");
    await redis.command("ACL", "SETUSER", "elsewhere", "on", ">pw", ...grant, "resetkeys", "~other*");
    const as = (user: string) => refusalOf(redis.url.replace("//", `//${user}:pw@`).concat("/2"));
    expect(await as("godwit")).toBeNull();
    expect(await as("mute")).toBeNull();
    for (const user of ["poor", "reader", "elsewhere"]) {
      expect(await as(user)).toContain(
        `the user may not do what the lock needs → grant it: ACL SETUSER ${user} ~`,
      );
    }
    expect(await as("nobody")).toContain("the password or the user was refused");
  });

  it("says that a password is too much", async () => {
    const redis = await redisWith({});
    const told = await refusalOf(redis.url.replace("//", "//:hunter2@"));
    expect(told).toContain("the server has no password, and lock.redis gives one");
    expect(told).not.toContain("hunter2");
  });

  it("goes over a Unix socket", async () => {
    let folder = "";
    const redis = await redisWith({ password: "hunter2", config: (at) => ((folder = at), []) });
    const path = join(folder, "redis.sock");
    expect(await refusalOf(`unix://:hunter2@${path}?db=2`)).toBeNull();
    await redis.stop();
    expect(await refusalOf(`unix://:hunter2@${path}`)).toMatch(
      new RegExp(`at ${path}: there is no such socket.*redis-cli -s ${path} --askpass PING$`),
    );
  });

  it("goes over TLS, whose certificates are checked", async () => {
    const folder = await scratch();
    const authority = await createAuthority(folder, "ca");
    const server = await authority.issue("server", "redis", "IP:127.0.0.1");
    const other = await authority.issue("other", "redis", "DNS:elsewhere.example");
    const over = async (pair: typeof server, ca: string | null): Promise<string> => {
      const redis = await startRedis({
        config: () => [
          "port 0",
          `tls-cert-file ${pair.certificate}`,
          `tls-key-file ${pair.key}`,
          "tls-auth-clients no",
          `tls-ca-cert-file ${authority.certificate}`,
        ],
        portName: "tls-port",
      });
      try {
        // The authorities of Node.js are those that the process started with.
        const file = join(folder, "use.ts");
        const gate = JSON.stringify(join(ROOT, "src/lock/redis-gate.ts"));
        await writeFile(
          file,
          `import { openRedisGate } from ${gate};
          const options = { key: "migration_x_lock", value: "v", ttlMs: 60_000, connectWaitMs: 0 };
          const open = (url: string) => openRedisGate({ ...options, url }).then((gate) => gate.tryEnter(), String);
          console.log(await open("rediss://127.0.0.1:${redis.port}"));
          console.log(await open("redis://127.0.0.1:${redis.port}"));\n`,
        );
        const env = { ...process.env, ...(ca === null ? {} : { NODE_EXTRA_CA_CERTS: ca }) };
        const { stdout } = await run(process.execPath, [file], { env, timeout: 60_000 });
        return stdout;
      } finally {
        await redis[Symbol.asyncDispose]();
      }
    };
    const trusted = await over(server, authority.certificate);
    expect(trusted).toMatch(/^true\n.*the (?:server closed the connection|connection was reset)/);
    expect(await over(server, null)).toContain("not signed by an authority that is trusted here");
    expect(await over(other, authority.certificate)).toContain("the certificate is for another host");
  });

  it("refuses a replica, also one that was the master a moment ago", async () => {
    const redis = await redisWith({});
    const key = "migration_x_lock";
    const gate = await openRedisGate({ url: redis.url, key, value: "v", ttlMs: 60_000, connectWaitMs: 0 });
    expect(await gate.tryEnter()).toBe(true);
    await redis.command("REPLICAOF", "127.0.0.1", "1");
    expect(await refusalOf(redis.url)).toContain("REDIS_UNREACHABLE: could not use the Redis of the lock");
    expect(await refusalOf(redis.url)).toContain("the server is a replica that only reads → name the master");
    expect(await gate.renew()).toBe("unreachable");
    await redis.command("REPLICAOF", "NO", "ONE");
    expect(await gate.renew()).toBe("kept");
    await gate.close();
    expect(await redis.command("EXISTS", key)).toBe("0");
  });

  it("refuses Cluster and Sentinel by name", async () => {
    const cluster = await redisWith({ config: () => ["cluster-enabled yes"] });
    expect(await refusalOf(cluster.url)).toMatch(
      /^CONFIG_INVALID: .*: the server is part of a Cluster → name a/,
    );
    const sentinel = await redisWith({ sentinel: true });
    expect(await refusalOf(sentinel.url)).toMatch(
      /^CONFIG_INVALID: .*: the server is a Sentinel → name a single/,
    );
  });
});

describe("what is no Redis", () => {
  it("is told apart, and shown no password of ours", async () => {
    const answers = {
      http: await impostor((socket) =>
        socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      ),
      echo: await impostor((socket) =>
        socket.on("data", () =>
          socket.write("-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n"),
        ),
      ),
      closing: await impostor((socket) => socket.end()),
      silent: await impostor(() => undefined),
      odd: await impostor((socket) => socket.on("data", () => socket.write("*3\r\n$-1\r\n:12\r\n+what\r\n"))),
    };
    const told = Object.fromEntries(
      await Promise.all(
        Object.entries(answers).map(async ([name, url]) => [name, await refusalOf(url)] as const),
      ),
    );
    expect(JSON.stringify(told)).not.toContain("hunter2");
    expect(told["http"]).toContain("what listens there does not speak as a Redis does");
    expect(told["echo"]).toContain("with args beginning with: '***'");
    expect(told["closing"]).toContain("the server closed the connection");
    expect(told["silent"]).toContain("no answer in 2 s");
    expect(told["odd"]).toContain("what listens there does not speak as a Redis does");
  });

  it("may be the database", async () => {
    const { hostname, port } = new URL(serverUrl());
    expect(await refusalOf(`redis://${hostname}:${port}`)).toMatch(
      /closed the connection|does not speak as a Redis/,
    );
  });
});

it("says what to install where the client is missing, and loads it only then", async () => {
  const folder = await scratch();
  await cp(join(ROOT, "src"), join(folder, "src"), { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(
    join(folder, "use.ts"),
    `import { openRedisGate } from "./src/lock/redis-gate.ts";
    const options = { url: "redis://h", key: "k", value: "v", ttlMs: 1000, connectWaitMs: 0 };
    const error = await openRedisGate(options).then(() => null, (thrown: unknown) => thrown);
    console.log(JSON.stringify(error), String(error));\n`,
  );
  const { stdout } = await run(process.execPath, ["use.ts"], { cwd: folder, timeout: 60_000 });
  expect(stdout).toContain('"code":"CONFIG_INVALID"');
  expect(stdout).toContain('the package "redis" is not installed beside Godwit');
  expect(stdout).toContain("npm install redis");
});
