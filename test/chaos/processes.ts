import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { CrashPoint } from "../../src/core/crash-points.ts";
import type { Ownership } from "./variant.ts";

const ENTRY = fileURLToPath(new URL("entry.ts", import.meta.url));

/** Variables that would lead a command line to a database of somebody else. */
const FOREIGN = /^(?:PG|DB_|DATABASE_)|^(?:NO_COLOR|FORCE_COLOR|SERVICE_NAME)$/;

/** A process that stands still at a crash point, until it is told to go on. */
export interface Report {
  readonly by: Contestant;
  readonly point: CrashPoint;
  readonly migration: string | null;
}

export interface Ended {
  /** null: ended by a signal. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One of many processes of the command line that want the same. */
export class Contestant {
  /** The name of its sessions as long as they hold no lock. */
  readonly name: string;
  /** Under which it last claimed the lock. */
  ownership: Ownership | null = null;
  /** Whether its session was ended since, which it may not have noticed. */
  hasLost = false;
  /** What was done to it; it need not get to its end then. */
  readonly suffered: string[] = [];
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  #isOver = false;

  constructor(options: {
    readonly name: string;
    readonly argv: readonly string[];
    readonly folder: string;
    readonly env: Readonly<Record<string, string>>;
    readonly onReport: (report: Report) => void;
  }) {
    this.name = options.name;
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
    const child = spawn(process.execPath, [ENTRY, ...options.argv], {
      cwd: options.folder,
      env: { ...own, PGAPPNAME: options.name, ...options.env },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.#channel = child.stdio[3] as Duplex;
    this.#channel.on("error", () => undefined);
    let said = "";
    this.#channel.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      const lines = said.split("\n");
      said = lines.pop()!;
      for (const line of lines) {
        const { point, migration } = JSON.parse(line) as Omit<Report, "by">;
        options.onReport({ by: this, point, migration });
      }
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr!.on("data", (chunk: Buffer) => stderr.push(chunk));
    this.ended = once(child, "close").then(([exit, signal]) => {
      this.#isOver = true;
      return {
        exit: exit as number | null,
        signal: signal as NodeJS.Signals | null,
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: Buffer.concat(stderr).toString("utf8"),
      };
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Lets it go on from the point where it stands. */
  goOn(): void {
    this.#channel.write("c");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
