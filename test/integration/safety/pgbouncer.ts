import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../../src/postgres/embedded/free-port.ts";
import { isRoot, serverUser } from "../../../src/postgres/embedded/server-user.ts";

export type PoolMode = "session" | "transaction";

export interface Pooler {
  /** A URL of the server with the pooler in its place. */
  urlFor(url: string): string;
  stop(): Promise<void>;
}

/** Whether this machine has PgBouncer; root gets it from the distribution where it can. */
export function havePgbouncer(): boolean {
  if (isThere()) return true;
  if (!isRoot()) return false;
  // Without a runlevel the package starts no service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const install = (): boolean =>
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "pgbouncer"], { env, timeout: 120_000 })
      .status === 0;
  if (!install()) {
    spawnSync("apt-get", ["update"], { env, timeout: 120_000 });
    install();
  }
  return isThere();
}

function isThere(): boolean {
  return spawnSync("pgbouncer", ["--version"]).status === 0;
}

/** Starts a PgBouncer on 127.0.0.1 in front of a server, with a folder of its own; it never runs as root. */
export async function startPgbouncer(serverUrl: string, mode: PoolMode): Promise<Pooler> {
  const server = new URL(serverUrl);
  const user = await serverUser();
  const folder = await mkdtemp(join(tmpdir(), "godwit-pgbouncer-"));
  const port = await freePort(20_000 + (process.pid % 12_000));
  const path = (name: string): string => join(folder, name);
  const password = decodeURIComponent(server.password);
  await writeFile(path("users"), `"${decodeURIComponent(server.username)}" "${password}"\n`, { mode: 0o600 });
  await writeFile(
    path("config"),
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${path("users")}
pool_mode = ${mode}
default_pool_size = 3
max_client_conn = 100
`,
    { mode: 0o600 },
  );
  if (user !== null) for (const name of [".", "users", "config"]) await chown(path(name), user.uid, user.gid);
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  const child = spawn("pgbouncer", [path("config")], {
    ...identity,
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`PgBouncer does not start:\n${said}`);
    await delay(25);
  }
  return {
    urlFor(url) {
      const pooled = new URL(url);
      pooled.port = String(port);
      return pooled.href;
    },
    async stop() {
      if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
