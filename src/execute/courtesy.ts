import type { Emit } from "../core/events.ts";
import type { LogEntry } from "../history/log-chain.ts";
import type { HistoryWriter } from "../history/writer.ts";
import { BlockingWatch } from "./blocking-watch.ts";
import type { SecondSession, WatchedBackend } from "./second-session.ts";

/** How a run treats others on the same database; all in milliseconds. */
export interface CourtesySettings {
  /** How long others may wait for a transaction of ours; 0: no limit. */
  readonly maxBlockingMs: number;
  /** How long what waits for others without making anybody wait may take; 0: no limit. */
  readonly patientTimeoutMs: number;
  /** After how long sessions that are in the way are cancelled; 0: never. */
  readonly cancelBlockersAfterMs: number;
  /** The same for ending them. */
  readonly terminateBlockersAfterMs: number;
}

/** What keeps a run from disturbing others, and what it may do to others that disturb it. */
export class Courtesy {
  readonly settings: CourtesySettings;
  readonly second: SecondSession;
  readonly #watched: () => WatchedBackend;
  readonly blocking: BlockingWatch;
  readonly #acts: LogEntry[] = [];

  constructor(options: {
    readonly settings: CourtesySettings;
    readonly second: SecondSession;
    /** The work session; behind a pooler each transaction may have another. */
    readonly watched: () => WatchedBackend;
    readonly target: string;
    readonly emit: Emit;
  }) {
    const { settings, second, watched, target, emit } = options;
    this.settings = settings;
    this.second = second;
    this.#watched = watched;
    this.blocking = new BlockingWatch({
      second,
      watched,
      limitMs: settings.maxBlockingMs,
      onBlind: (reason) =>
        emit({
          type: "warning",
          target,
          message: `whether others wait for this run is not watched: ${reason}`,
          hint: "it takes a second connection to the same database: let the role have one more",
        }),
    });
  }

  /** Backend of the work session now. */
  get watched(): WatchedBackend {
    return this.#watched();
  }

  /** Keeps what was done to another session, to be written with what the work session writes next. */
  record(entry: LogEntry): void {
    this.#acts.push(entry);
  }

  /** What is to be written; it is kept until `written` says that it is. */
  get acts(): readonly LogEntry[] {
    return this.#acts;
  }

  /** @param count so many of the acts, the first ones, are in the history. */
  written(count: number): void {
    this.#acts.splice(0, count);
  }

  /** Writes what is to be written, if anything is. No transaction may be open. @throws as `HistoryWriter.write`. */
  async writeActs(writer: HistoryWriter): Promise<void> {
    const [first, ...others] = this.#acts;
    if (first === undefined) return;
    await writer.write({ log: [first, ...others] });
    this.written(1 + others.length);
  }
}
