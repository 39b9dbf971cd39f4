import type { Godwit, GodwitOptions, Run } from "../../api/types.ts";
import type { GodwitEvent } from "../../core/events.ts";
import type { OutputStream } from "../io.ts";
import { runCli } from "../run-cli.ts";

/** A stream that keeps what is written to it. */
export class MemoryStream implements OutputStream {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns = 0) {
    this.isTTY = columns > 0;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** A run that tells the events given and ends with a result or an error. */
export function finishedRun<T>(result: T | Error, events: readonly GodwitEvent[] = []): Run<T> {
  const promise = result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  promise.catch(() => undefined);
  return {
    result: promise,
    // oxlint-disable-next-line unicorn/no-thenable -- that is what a Run is
    then: promise.then.bind(promise),
    async *[Symbol.asyncIterator]() {
      yield* events;
      await promise;
    },
  };
}

export interface FakeEngine {
  /** Verbs of the engine by name, each with what it returns. */
  readonly verbs?: Partial<Record<keyof Godwit, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

export interface CliRun {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the engine was asked for: the name of the verb, then its options. */
  readonly calls: readonly (readonly [verb: string, options: unknown])[];
  /** What the engine was made from. */
  readonly engine: GodwitOptions | null;
}

/** Runs a command line against verbs that return what they are told to. The time is 2026-03-01 12:00 UTC. */
export async function runFake(argv: readonly string[], fake: FakeEngine = {}): Promise<CliRun> {
  const stdout = new MemoryStream(fake.columns);
  const stderr = new MemoryStream(fake.columns);
  const calls: (readonly [string, unknown])[] = [];
  let engine: GodwitOptions | null = null;
  const handler: ProxyHandler<object> = {
    get: (_, verb) => {
      if (verb === "then") return undefined;
      return (options: unknown) => {
        calls.push([String(verb), options]);
        const answer = Object.entries(fake.verbs ?? {}).find(([name]) => name === verb)?.[1];
        if (answer === undefined) throw new Error(`the test does not say what ${String(verb)} returns`);
        return answer;
      };
    },
  };
  const exit = await runCli(argv, {
    io: {
      stdout,
      stderr,
      env: fake.env ?? {},
      cwd: "/project",
      now: () => Date.parse("2026-03-01T12:00:00Z"),
    },
    signal: fake.signal ?? new AbortController().signal,
    createGodwit: (options) => {
      engine = options;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the proxy answers to every verb
      return Promise.resolve(new Proxy({}, handler) as Godwit);
    },
  });
  return { exit, stdout: stdout.text, stderr: stderr.text, calls, engine };
}
