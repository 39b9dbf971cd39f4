import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../src/postgres/embedded/free-port.ts";
import { isRoot } from "../../src/postgres/embedded/server-user.ts";

const run = promisify(execFile);
const START_MS = 20_000;

export interface RedisServer {
  readonly port: number;
  /** `redis://` with the password, where there is one. */
  readonly url: string;
  /** The answer of one command by redis-cli, past whatever is tested. */
  command(...args: string[]): Promise<string>;
  /** Ends it in order, or at once as kill -9 does; its data are gone. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT: its connections stay, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  flush(): Promise<void>;
}

export interface RedisServerOptions {
  readonly password?: string;
  /** Which setting says the port: `tls-port` for a server that speaks TLS there. */
  readonly portName?: "port" | "tls-port";
  /** Watches servers instead of keeping data. */
  readonly sentinel?: boolean;
  /** Further lines of its configuration; files in it stand in `folder`. */
  readonly config?: (folder: string) => readonly string[];
}

/** Whether this machine has a Redis; root gets it from the distribution where it can. */
export function haveRedis(): boolean {
  if (isThere()) return true;
  if (!isRoot()) return false;
  // Without a runlevel the package starts no service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const install = (): boolean =>
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"], {
      env,
      timeout: 120_000,
    }).status === 0;
  if (!install()) {
    spawnSync("apt-get", ["update"], { env, timeout: 120_000 });
    install();
  }
  return isThere();
}

function isThere(): boolean {
  return ["redis-server", "redis-cli"].every((name) => spawnSync(name, ["--version"]).status === 0);
}

/** Starts a Redis on 127.0.0.1 that keeps nothing on disk; it ends with `using`, or with `stop`. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer & AsyncDisposable> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(20_000 + ((process.pid * 7 + attempt * 101) % 12_000));
    try {
      return await startOn(port, options);
    } catch (error) {
      // A Cluster listens 10 000 above as well, where the system gives ports to whoever connects.
      if (attempt === 5 || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function startOn(port: number, options: RedisServerOptions): Promise<RedisServer & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-redis-"));
  const { password } = options;
  const file = join(folder, "redis.conf");
  await writeFile(
    file,
    [
      "bind 127.0.0.1",
      `${options.portName ?? "port"} ${port}`,
      `dir ${folder}`,
      `unixsocket ${join(folder, "redis.sock")}`,
      'save ""',
      "appendonly no",
      "daemonize no",
      ...(password === undefined ? [] : [`requirepass "${password}"`]),
      ...(options.config?.(folder) ?? []),
    ].join("\n"),
    { mode: 0o600 },
  );
  let child: ChildProcess | null = null;

  const command = async (...args: string[]): Promise<string> => {
    const { stdout } = await run("redis-cli", ["-s", join(folder, "redis.sock"), ...args], {
      timeout: START_MS,
      env: { ...process.env, ...(password === undefined ? {} : { REDISCLI_AUTH: password }) },
    });
    return stdout.trim();
  };
  const start = async (): Promise<void> => {
    const started = spawn("redis-server", [file, ...(options.sentinel === true ? ["--sentinel"] : [])], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    let said = "";
    started.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    started.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const until = Date.now() + START_MS;
    for (;;) {
      const answer = await command("PING").catch(() => "");
      if (answer === "PONG") return;
      if (Date.now() > until || started.exitCode !== null) throw new Error(`Redis does not start:\n${said}`);
      await delay(20);
    }
  };
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = once(ending, "exit");
    ending.kill("SIGCONT");
    ending.kill(signal);
    await gone;
  };
  // A test that ends in the middle leaves no server behind.
  const killAtExit = (): void => void child?.kill("SIGKILL");
  process.once("exit", killAtExit);
  const dispose = async (): Promise<void> => {
    process.off("exit", killAtExit);
    await end("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return {
    port,
    url: `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    command,
    start,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    flush: async () => void (await command("FLUSHALL")),
    [Symbol.asyncDispose]: dispose,
  };
}
