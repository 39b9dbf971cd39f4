import type { Godwit, LockingOptions, Run, VerbOptions } from "../api/types.ts";
import type { GodwitEvent } from "../core/events.ts";
import { engineOptions, type GlobalValues, lockingOptions, verbOptions } from "./global-options.ts";
import type { Cli } from "./cli.ts";
import type { Io } from "./io.ts";
import type { Warning } from "./json/envelope.ts";
import type { Reporter } from "./reporters/reporter.ts";

/** What one invocation of a verb works with. */
export class Session {
  readonly cli: Cli;
  readonly globals: GlobalValues;
  readonly warnings: Warning[] = [];
  runId: string | null = null;
  readonly #reporter: Reporter;

  constructor(cli: Cli, globals: GlobalValues, reporter: Reporter) {
    this.cli = cli;
    this.globals = globals;
    this.#reporter = reporter;
  }

  get io(): Io {
    return this.cli.io;
  }

  get signal(): AbortSignal {
    return this.cli.signal;
  }

  /** The engine for the configuration that the global options name. */
  godwit(): Promise<Godwit> {
    return this.cli.createGodwit(engineOptions(this.globals, this.io));
  }

  /** Options for verbs that only read. */
  get options(): VerbOptions {
    return verbOptions(this.globals, this.signal);
  }

  /** Options for verbs that hold Godwit's lock. */
  get locking(): LockingOptions {
    return lockingOptions(this.globals, this.signal);
  }

  /** Waits for a verb of the engine while its events go to the reporter. @throws what the verb throws. */
  async follow<T>(run: Run<T>): Promise<T> {
    const failed = run.result.then(
      () => false,
      () => true,
    );
    try {
      for await (const event of run) this.emit(event);
    } catch (error) {
      if (!(await failed)) throw error;
    }
    return run.result;
  }

  /** Passes one event on; warnings and the run's id are kept for the JSON document. */
  emit(event: GodwitEvent): void {
    if (event.type === "run.started") this.runId = event.runId;
    if (event.type === "warning") {
      const { target, message, hint } = event;
      this.warnings.push({ target, message, hint });
    }
    this.#reporter.event(event);
  }
}
