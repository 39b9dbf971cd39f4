import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EmbeddedServer, ensureEmbeddedServer } from "../../src/postgres/embedded/ensure.ts";
import type { EmbeddedMajor } from "../../src/postgres/embedded/packages.ts";
import { processRuns } from "../../src/postgres/embedded/postmaster-file.ts";
import { isRoot, serverUser, spawnIdentity } from "../../src/postgres/embedded/server-user.ts";
import { embeddedStatus } from "../../src/postgres/embedded/status.ts";
import { stopEmbeddedServer } from "../../src/postgres/embedded/stop.ts";
import { withTemporaryServer } from "../../src/postgres/embedded/temporary-server.ts";
import { query, testMajor, urlOf } from "../support/postgres.ts";

const major = testMajor();
const env = process.env;

describe("the embedded server of a project", () => {
  it("is started once, reused, and keeps its data and its address over a stop", async () => {
    const directory = await project();
    expect((await embeddedStatus({ directory })).state).toBe("absent");
    const first = await ensureEmbeddedServer({ directory, major, env });
    expect(first).toMatchObject({ reused: false, directory: join(directory, ".godwit", "postgres") });
    expect(first.version).toMatch(new RegExp(`^${major}\\.`));
    await query(first.conninfo, "CREATE TABLE kept AS SELECT 42 AS answer");

    const second = await ensureEmbeddedServer({ directory, env });
    expect(second).toMatchObject({ reused: true, pid: first.pid, conninfo: first.conninfo });
    expect(await embeddedStatus({ directory })).toMatchObject({ state: "running", pid: first.pid, major });

    expect(await stopEmbeddedServer({ directory })).toEqual({ stopped: true, pid: first.pid });
    expect(await stopEmbeddedServer({ directory })).toEqual({ stopped: false, pid: null });
    expect(await embeddedStatus({ directory })).toMatchObject({
      state: "stopped",
      pid: null,
      conninfo: null,
    });

    const third = await ensureEmbeddedServer({ directory, env });
    expect(third).toMatchObject({ reused: false, conninfo: first.conninfo });
    expect(await query(third.conninfo, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  });

  it("is one server, however many processes ask at once", async () => {
    const directory = await project();
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => ensureInProcess(directory)),
      ...Array.from({ length: 8 }, () => ensureEmbeddedServer({ directory, major, env })),
    ]);
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1);
    expect(answers.filter(({ reused }) => !reused)).toHaveLength(1);
  });

  it("comes back with what was committed after it was killed", async () => {
    const directory = await project();
    const first = await ensureEmbeddedServer({ directory, major, env });
    await query(first.conninfo, "CREATE TABLE kept AS SELECT 1 AS n");
    process.kill(first.pid, "SIGKILL");
    const second = await ensureEmbeddedServer({ directory, env });
    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.conninfo, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
  });

  it.runIf(process.platform === "linux")("waits for what is left of a killed one", async () => {
    const directory = await project();
    const first = await ensureEmbeddedServer({ directory, major, env });
    const children = (await readFile(`/proc/${first.pid}/task/${first.pid}/children`, "utf8"))
      .trim()
      .split(" ");
    const goOn = (): void => void spawnSync("kill", ["-CONT", ...children]);
    onTestFinished(goOn);
    for (const child of children) process.kill(Number(child), "SIGSTOP");
    process.kill(first.pid, "SIGKILL");
    const second = ensureEmbeddedServer({ directory, env });
    const { logFile } = await embeddedStatus({ directory });
    await expect.poll(() => readFile(logFile, "utf8")).toContain("still in use");
    goOn();
    expect((await second).pid).not.toBe(first.pid);
  });

  it("is not taken for running because a stranger has the process id of a killed one", async () => {
    const directory = await project();
    const server = await ensureEmbeddedServer({ directory, major, env });
    const { dataDirectory, socketDirectory } = await embeddedStatus({ directory });
    const stranger = spawn("sleep", ["600"], {
      stdio: "ignore",
      ...spawnIdentity(await serverUser()),
    });
    onTestFinished(() => void stranger.kill("SIGKILL"));
    const port = server.parameters.port;
    const files = [`${dataDirectory}/postmaster.pid`, `${socketDirectory}/.s.PGSQL.${port}.lock`];
    process.kill(server.pid, "SIGKILL");
    for (const file of files) {
      const text = await readFile(file, "utf8");
      await writeFile(file, text.replace(/^\d+/, String(stranger.pid)));
    }
    expect((await embeddedStatus({ directory })).state).toBe("stopped");
    expect(await stopEmbeddedServer({ directory })).toEqual({ stopped: false, pid: null });
    expect(processRuns(stranger.pid ?? 0)).toBe(true);
    expect((await ensureEmbeddedServer({ directory, env })).reused).toBe(false);
  });

  it("starts although a process that was starting it was killed", async () => {
    const directory = await project();
    await mkdir(join(directory, ".godwit", "postgres"), { recursive: true });
    const dead = spawn("true", { stdio: "ignore" });
    await once(dead, "exit");
    await writeFile(
      join(directory, ".godwit", "postgres", "start.lock"),
      JSON.stringify({ pid: dead.pid, host: hostname(), started: "1", nonce: "x" }),
    );
    expect((await ensureEmbeddedServer({ directory, major, env })).reused).toBe(false);
  });

  it("moves along with its project, and a copy of the project gets a server of its own", async () => {
    const parent = await project();
    const [directory, moved, copy] = [join(parent, "a"), join(parent, "b"), join(parent, "c")];
    await mkdir(directory);
    onTestFinished(async () => {
      await stopEmbeddedServer({ directory: moved });
      await stopEmbeddedServer({ directory: copy });
    });
    const server = await ensureEmbeddedServer({ directory, major, env });
    await rename(directory, moved);
    expect(await ensureEmbeddedServer({ directory: moved, env })).toMatchObject({
      reused: true,
      pid: server.pid,
    });
    await stopEmbeddedServer({ directory: moved });
    const restarted = await ensureEmbeddedServer({ directory: moved, env });
    await once(spawn("cp", ["-a", moved, copy], { stdio: "inherit" }), "close");
    const other = await ensureEmbeddedServer({ directory: copy, env });
    expect(other.reused).toBe(false);
    expect(other.pid).not.toBe(restarted.pid);
  });

  it("begins anew, and deletes nothing, when its password is lost with its instance.json", async () => {
    const directory = await project();
    const first = await ensureEmbeddedServer({ directory, major, env });
    await query(first.conninfo, "CREATE TABLE kept AS SELECT 1 AS n");
    await rm(join(first.directory, "instance.json"));
    const messages: string[] = [];
    const second = await ensureEmbeddedServer({
      directory,
      major,
      env,
      onProgress: (message) => messages.push(message),
    });
    expect(second.reused).toBe(false);
    expect(processRuns(first.pid)).toBe(false);
    expect(await query(second.conninfo, "SELECT to_regclass('kept') AS kept")).toEqual([{ kept: null }]);
    expect(messages).toContainEqual(expect.stringContaining(join(first.directory, "data.1")));
    expect((await stat(join(first.directory, "data.1", "PG_VERSION"))).isFile()).toBe(true);
  });

  it("takes another port when its own is busy", async () => {
    const directory = await project();
    const first = await ensureEmbeddedServer({ directory, major, env });
    await stopEmbeddedServer({ directory });
    const squatter = createServer().listen(Number(first.parameters.port), "127.0.0.1");
    await once(squatter, "listening");
    onTestFinished(() => void squatter.close());
    const second = await ensureEmbeddedServer({ directory, env });
    expect(second.parameters.port).not.toBe(first.parameters.port);
    expect(await query(second.conninfo, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
  });

  it("leaves nothing running when it is aborted while it starts", async () => {
    const directory = await project();
    const abort = new AbortController();
    const onProgress = (message: string): void => {
      if (message.startsWith("starting")) abort.abort();
    };
    await expect(
      ensureEmbeddedServer({ directory, major, env, signal: abort.signal, onProgress }),
    ).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(await embeddedStatus({ directory })).toMatchObject({ state: "stopped", pid: null });
    expect((await ensureEmbeddedServer({ directory, major, env })).reused).toBe(false);
  });

  it("keeps its data outside a project that the server's account cannot enter", async () => {
    const parent = await project();
    const directory = join(parent, "private");
    // As root the server runs as another account, which this mode keeps out; otherwise it is ours.
    await mkdir(directory, { mode: 0o700 });
    onTestFinished(async () => {
      await stopEmbeddedServer({ directory });
      const { dataDirectory } = await embeddedStatus({ directory });
      if (dataDirectory !== null) await rm(join(dataDirectory, ".."), { recursive: true, force: true });
    });
    const server = await ensureEmbeddedServer({ directory, major, env });
    expect(await query(server.conninfo, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
    const { dataDirectory } = await embeddedStatus({ directory });
    expect(dataDirectory?.startsWith(directory)).toBe(!isRoot());
    expect((await ensureEmbeddedServer({ directory, env })).reused).toBe(true);
  });
});

describe("an embedded server that runs", () => {
  let directory = "";
  let server: EmbeddedServer;
  beforeAll(async () => {
    directory = await makeProject();
    server = await ensureEmbeddedServer({ directory, major, env });
  });
  afterAll(() => removeProject(directory));

  it("is durable, listens on this machine alone and offers the database app", async () => {
    expect(
      await query(
        server.conninfo,
        `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
           current_setting('listen_addresses') AS addresses, current_database()::text AS database`,
      ),
    ).toEqual([{ fsync: "on", pages: "on", addresses: "127.0.0.1", database: "app" }]);
  });

  it("lets only the password in, which its owner alone can read", async () => {
    const guess = urlOf(server.conninfo, { password: "guess" });
    await expect(query(guess, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
    const kept = await stat(join(server.directory, "instance.json"));
    expect(kept.mode & 0o777).toBe(0o600);
  });

  it("stays out of version control", async () => {
    expect(await readFile(join(directory, ".godwit", ".gitignore"), "utf8")).toBe("*\n");
  });

  it("refuses to be another major than its data", async () => {
    const other: EmbeddedMajor = major === 18 ? 17 : 18;
    await expect(ensureEmbeddedServer({ directory, major: other, env })).rejects.toMatchObject({
      code: "EMBEDDED_UNAVAILABLE",
      message: expect.stringContaining(`is of PostgreSQL ${major}, and ${other} was asked for`),
    });
  });

  it("gets its database back", async () => {
    await query(urlOf(server.conninfo, { database: "postgres" }), "DROP DATABASE app");
    expect((await ensureEmbeddedServer({ directory, env })).reused).toBe(true);
    expect(await query(server.conninfo, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
  });

  it("says so when its password was changed under it", async () => {
    await query(server.conninfo, "ALTER ROLE postgres PASSWORD 'other'");
    await expect(ensureEmbeddedServer({ directory, env })).rejects.toMatchObject({
      code: "EMBEDDED_UNAVAILABLE",
      message: expect.stringContaining("its password was changed"),
    });
  });
});

describe("a temporary server", () => {
  it("is gone with its files after the work, be it done or failed", async () => {
    const seen: { pid: number; dataDirectory: string }[] = [];
    const answer = await withTemporaryServer({ major, env }, async (server) => {
      seen.push(server);
      return query(server.conninfo, "SELECT 1 AS n");
    });
    expect(answer).toEqual([{ n: 1 }]);
    const failing = withTemporaryServer({ major, env }, async (server) => {
      seen.push(server);
      throw new Error("no luck");
    });
    await expect(failing).rejects.toThrow("no luck");
    expect(seen).toHaveLength(2);
    for (const { pid, dataDirectory } of seen) {
      expect(processRuns(pid)).toBe(false);
      await expect(stat(dataDirectory)).rejects.toMatchObject({ code: "ENOENT" });
    }
  });

  it("goes away under work that was aborted and does not end", async () => {
    const abort = new AbortController();
    let pid = 0;
    const work = withTemporaryServer({ major, env, signal: abort.signal, graceMs: 50 }, async (server) => {
      pid = server.pid;
      abort.abort();
      return query(server.conninfo, "SELECT pg_sleep(60)").catch((error: unknown) => error);
    });
    await expect(work).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(processRuns(pid)).toBe(false);
  });

  it("lets aborted work end by itself", async () => {
    const abort = new AbortController();
    const work = withTemporaryServer({ major, env, signal: abort.signal }, async (server) => {
      abort.abort();
      return query(server.conninfo, "SELECT 1 AS n");
    });
    expect(await work).toEqual([{ n: 1 }]);
  });

  it("is cleared away by the next one when its maker was killed", async () => {
    const { child, said } = runScript(
      "temporary-server.ts",
      `const { pid, dataDirectory } = await startTemporaryServer({ major: ${major}, env: process.env });
       say({ pid, dataDirectory });
       setInterval(() => undefined, 1000);`,
      "startTemporaryServer",
    );
    const { pid, dataDirectory } = await said;
    child.kill("SIGKILL");
    await once(child, "close");
    expect(processRuns(Number(pid))).toBe(true);
    await withTemporaryServer({ major, env }, async () => undefined);
    expect(processRuns(Number(pid))).toBe(false);
    await expect(stat(String(dataDirectory))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("ends with its maker when that does not stop it", async () => {
    const { child, said } = runScript(
      "temporary-server.ts",
      `const { pid, dataDirectory } = await startTemporaryServer({ major: ${major}, env: process.env });
       say({ pid, dataDirectory });
       process.exit(0);`,
      "startTemporaryServer",
    );
    const closed = once(child, "close");
    const { pid, dataDirectory } = await said;
    await closed;
    expect(processRuns(Number(pid))).toBe(false);
    await expect(stat(String(dataDirectory))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

/** A project for the running test. */
async function project(): Promise<string> {
  const directory = await makeProject();
  onTestFinished(() => removeProject(directory));
  return directory;
}

/** A folder that the server's account may enter. */
async function makeProject(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "godwit-embedded-test-"));
  await chmod(directory, 0o755);
  return directory;
}

async function removeProject(directory: string): Promise<void> {
  await stopEmbeddedServer({ directory }).catch(() => undefined);
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function ensureInProcess(directory: string): Promise<Record<string, unknown>> {
  const options = `{ directory: ${JSON.stringify(directory)}, major: ${major}, env: process.env }`;
  return runScript(
    "ensure.ts",
    `const { pid, reused } = await ensureEmbeddedServer(${options});
     say({ pid, reused });`,
    "ensureEmbeddedServer",
  ).said;
}

/** Runs a script that imports one function of the embedded server, in a process of its own. */
function runScript(
  file: string,
  script: string,
  imported: string,
): { child: ReturnType<typeof spawn>; said: Promise<Record<string, unknown>> } {
  const module = new URL(`../../src/postgres/embedded/${file}`, import.meta.url).href;
  const code = `import { ${imported} } from ${JSON.stringify(module)};
    const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
    ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    if (!output.includes("\n")) return;
    const value: unknown = JSON.parse(output);
    resolve(typeof value === "object" && value !== null ? { ...value } : {});
  });
  child.once("close", (status) => reject(new Error(`the script ended with ${status} and said: ${output}`)));
  return { child, said: promise };
}
