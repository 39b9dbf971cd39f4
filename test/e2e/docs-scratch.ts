import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Client } from "pg";
import { createDatabase, query, type TestDatabase } from "../support/postgres.ts";
import { install, type Installed } from "./docs-install.ts";

export interface Ran {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Both streams, as a terminal shows them. */
  readonly output: string;
}

/** What the pages call the database of their examples. */
const SHOWN_URL = "postgres://shop@localhost:5432/shop";
const SHOWN_FOLDER = "/srv/shop";
const FOREIGN =
  /^(?:PG|DB_|DATABASE_)|^(?:NO_COLOR|FORCE_COLOR|SERVICE_NAME|GIT_SHA|GITHUB_SHA|CI_COMMIT_SHA)$/;

/** A folder and a database in which the commands of a page are typed into a shell, with `godwit` bundled as it ships. */
export class Scratch {
  readonly folder: string;
  readonly #database: TestDatabase;
  readonly #bin: string;
  readonly #env: Record<string, string | undefined>;
  readonly #children = new Set<ChildProcess>();
  readonly #sessions: Client[] = [];

  static async make(): Promise<Scratch> {
    return new Scratch(await createDatabase(), await install());
  }

  private constructor(database: TestDatabase, { main, library }: Installed) {
    this.#database = database;
    const root = realpathSync(mkdtempSync(join(tmpdir(), "godwit-docs-")));
    this.folder = join(root, "shop");
    this.#bin = join(root, "bin");
    mkdirSync(this.folder);
    mkdirSync(this.#bin);
    const shim = `#!/bin/sh\nif [ "$1" = godwit ]; then shift; fi\nexec "${process.execPath}" "${main}" "$@"\n`;
    for (const name of ["npx", "godwit"]) {
      writeFileSync(join(this.#bin, name), shim);
      chmodSync(join(this.#bin, name), 0o755);
    }
    const dependency = join(root, "node_modules/godwit");
    mkdirSync(dependency, { recursive: true });
    writeFileSync(
      join(dependency, "package.json"),
      '{ "name": "godwit", "type": "module", "exports": "./index.js" }\n',
    );
    writeFileSync(join(dependency, "index.js"), `export * from "${pathToFileURL(library).href}";\n`);
    writeFileSync(join(this.folder, "package.json"), '{ "type": "module" }\n');
    this.#env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))),
      PATH: [this.#bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
      DATABASE_URL: database.url,
    };
  }

  /** Writes a file; a `*` in the path stands for a part of the name of one that exists. */
  write(pattern: string, text: string): void {
    const path = this.#find(pattern);
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), this.#real(text));
  }

  edit(pattern: string, from: string, to: string): void {
    const path = this.#find(pattern);
    const text = readFileSync(join(this.folder, path), "utf8");
    if (!text.includes(from)) throw new Error(`${path} does not contain ${from}`);
    this.write(
      path,
      text.replace(from, () => to),
    );
  }

  remove(pattern: string): void {
    rmSync(join(this.folder, this.#find(pattern)), { recursive: true });
  }

  #find(pattern: string): string {
    if (!pattern.includes("*")) return pattern;
    const [found, ...others] = globSync(pattern, { cwd: this.folder });
    if (found === undefined || others.length > 0)
      throw new Error(`${pattern} fits ${others.length + (found === undefined ? 0 : 1)} files`);
    return found;
  }

  setEnv(name: string, value: string | null): void {
    if (value === null) delete this.#env[name];
    else this.#env[name] = this.#real(value);
  }

  sql(text: string): Promise<Record<string, unknown>[]> {
    return query(this.#database.url, text);
  }

  /** How many rows a query of the page returns. */
  async rows(text: string): Promise<number> {
    return (await this.sql(text)).length;
  }

  /** Asks until the first column of the first row is true. */
  async until(text: string): Promise<void> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const [row] = await this.sql(text);
      if (row !== undefined && Object.values(row)[0] === true) return;
      if (performance.now() > deadline) throw new Error(`did not become true: ${text}`);
      await delay(20);
    }
  }

  /** Opens a session that stays, for what it holds. */
  async session(text: string): Promise<void> {
    const client = new Client({ connectionString: this.#database.url });
    client.on("error", () => undefined);
    await client.connect();
    this.#sessions.push(client);
    await client.query(text);
  }

  /** Types a command into a shell. `export NAME=value` holds for what follows. */
  async run(
    command: string,
    signal: { readonly name: NodeJS.Signals; readonly sql: string } | null = null,
  ): Promise<Ran> {
    const exported = /^export (\w+)=(["']?)(.*)\2$/.exec(command);
    if (exported !== null) {
      this.setEnv(exported[1]!, exported[3]!);
      return { exit: 0, signal: null, output: "" };
    }
    const { child, finished } = this.#start(signal === null ? command : `exec ${command}`);
    if (signal !== null) {
      await this.until(signal.sql);
      child.kill(signal.name);
    }
    return finished;
  }

  background(command: string): void {
    void this.#start(`exec ${command}`).finished;
  }

  /** Kills what runs in the background, and closes the sessions. */
  async end(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(this.#sessions.splice(0).map((client) => client.end()));
  }

  async close(): Promise<void> {
    await this.end();
    await this.#database.drop();
    rmSync(dirname(this.folder), { recursive: true, force: true });
  }

  #start(command: string): { child: ChildProcess; finished: Promise<Ran> } {
    const child = spawn("sh", ["-c", `exec 2>&1\n${this.#real(command)}`], {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#children.add(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    const { promise, resolve, reject } = Promise.withResolvers<Ran>();
    child.once("error", reject);
    child.once("close", (exit, signal) => {
      this.#children.delete(child);
      resolve({ exit, signal, output: this.#shown(output) });
    });
    return { child, finished: promise };
  }

  /** The page's names for things replaced by those of this machine. */
  #real(text: string): string {
    return text.replaceAll(SHOWN_URL, () => this.#database.url).replaceAll(SHOWN_FOLDER, () => this.folder);
  }

  /** The names of this machine replaced by those of the page. */
  #shown(text: string): string {
    const { hostname: host, port, username } = new URL(this.#database.url);
    return text
      .replaceAll(
        `${this.#database.name} on ${host}:${port} as ${username}`,
        "shop on localhost:5432 as shop",
      )
      .replaceAll(this.#database.url, SHOWN_URL)
      .replaceAll(this.#database.name, "shop")
      .replaceAll(this.folder, SHOWN_FOLDER)
      .replaceAll(encodeURIComponent(this.folder), encodeURIComponent(SHOWN_FOLDER))
      .replaceAll(hostname(), "build-7")
      .replaceAll(`${userInfo().username}@`, "deploy@")
      .replaceAll(new RegExp(`(role "|AUTHORIZATION |TO |"applied_by": ")${username}\\b`, "g"), "$1shop");
  }
}
