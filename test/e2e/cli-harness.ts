import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The entry of the command line, as a checkout runs it. */
export const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface Finished {
  /** The exit status; null: ended by a signal. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Waits until stderr contains a text. */
  saw(text: string): Promise<void>;
  /** Waits until stdout contains a text. */
  told(text: string): Promise<void>;
}

/** Variables that would lead a test to a database of somebody else, or colour its output. */
const FOREIGN = /^(?:PG|DB_|DATABASE_)|^(?:NO_COLOR|FORCE_COLOR|SERVICE_NAME)$/;

/** No command line of a test takes longer, however busy the machine is: one that does hangs. */
const HANGS_AFTER_MS = 45_000;

/** What every thread of a process waits for, to tell where it hangs; empty where the system does not tell. */
function threadsOf(pid: number | undefined): string {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((id) =>
        ["comm", "wchan"].map((name) => readFileSync(`/proc/${pid}/task/${id}/${name}`, "utf8").trim()),
      )
      .map(([name, waiting]) => `${name}: ${waiting}`)
      .join(", ");
  } catch {
    return "";
  }
}

/** A folder with migrations, and the command line in it. Removed when the test ends. */
export class Project {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "godwit-cli-"));
    this.#env = env;
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    this.write(files);
  }

  /** Writes files, by path from the project's folder. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
  }

  remove(name: string): void {
    rmSync(join(this.folder, name));
  }

  /** Starts a command line. */
  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
    const began = performance.now();
    const child = spawn(process.execPath, [MAIN, ...argv], {
      cwd: this.folder,
      env: { ...own, ...this.#env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    let stdout = "";
    let stderr = "";
    const waiting = new Set<() => void>();
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      for (const look of waiting) look();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
      for (const look of waiting) look();
    });
    const { promise, resolve, reject } = Promise.withResolvers<Finished>();
    child.once("error", reject);
    const hanging = setTimeout(() => {
      reject(new Error(`godwit ${argv.join(" ")} hangs (${threadsOf(child.pid)})\n${stdout}\n${stderr}`));
      child.kill("SIGKILL");
    }, HANGS_AFTER_MS);
    child.once("close", (exit, signal) => {
      clearTimeout(hanging);
      resolve({ exit, signal, stdout, stderr, durationMs: performance.now() - began });
    });
    const appears = (text: string, where: () => string) => {
      const seen = Promise.withResolvers<void>();
      const look = () => {
        if (where().includes(text)) seen.resolve();
      };
      waiting.add(look);
      look();
      const ended = (): void =>
        seen.reject(new Error(`it ended without saying ${text}:\n${stdout}\n${stderr}`));
      promise.then(ended, ended);
      return seen.promise.finally(() => waiting.delete(look));
    };
    return {
      child,
      finished: promise,
      saw: (text) => appears(text, () => stderr),
      told: (text) => appears(text, () => stdout),
    };
  }

  /** Runs a command line to its end. */
  run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return this.start(argv, env).finished;
  }
}

/** Two migrations that can be taken back, and a repeatable view. */
export const SHOP: Readonly<Record<string, string>> = {
  "migrations/20260101000000_users.sql": `-- migrate:up
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
INSERT INTO users (email) VALUES ('a@example.org'), ('b@example.org');
-- migrate:down
DROP TABLE users;
`,
  "migrations/20260102000000_orders.sql": `-- migrate:up
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint REFERENCES users);
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
-- migrate:down
DROP TABLE orders CASCADE;
`,
  "migrations/totals.repeatable.sql":
    "CREATE OR REPLACE VIEW totals AS SELECT count(*) AS orders FROM orders;\n",
};
