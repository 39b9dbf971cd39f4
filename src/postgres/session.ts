import type { Duplex } from "node:stream";
import pg from "pg";
import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { throwIfAborted } from "../core/interrupt.ts";
import { cancelQuery } from "./cancel.ts";
import { connect } from "./connect.ts";
import { isDatabaseError, type DatabaseError } from "./database-error.ts";
import type { ConnectionSettings } from "./types.ts";

/** A row as text, exactly as the server wrote it: nothing is converted, so nothing is lost. */
export type TextRow = Readonly<Record<string, string | null>>;

export interface StatementResult {
  readonly rows: readonly TextRow[];
  /** Rows affected or returned, from the command tag; null where the command has no count. */
  readonly rowCount: number | null;
  /** First word of the command tag: `CREATE`, `INSERT`, `ROLLBACK`. */
  readonly command: string;
}

export interface Notice {
  readonly severity: string;
  readonly message: string;
}

/** Told of a notice, and of its SQLSTATE where the server gave one. */
export type NoticeListener = (notice: Notice, sqlstate?: string) => void;

export interface SessionOptions {
  readonly applicationName: string;
  readonly signal?: AbortSignal | undefined;
  /** As `ConnectOptions`. */
  readonly timeoutMs?: number;
  /** As `ConnectOptions`. */
  readonly whileWaiting?: () => void;
}

/** A cancel request can arrive between two statements and be lost, so it is repeated while what it aims at goes on. */
const CANCEL_EVERY_MS = 150;
/**
 * How long a statement of a clean-up may take once the work was aborted: an orchestrator that sent SIGTERM kills half a minute later.
 * Without this a COMMIT would wait for ever for a synchronous standby that is gone; cancelled, it has happened all the same (manual 27.2.8).
 */
const CLEAN_UP_MS = 3_000;
/** How long requests to cancel may fail to reach the server before its session counts as lost. */
const UNREACHABLE_MS = 5_000;

/**
 * One connection to one server, with the session state that belongs to it.
 * It never reconnects by itself: locks, settings and transactions live in the session, so a lost one is lost loudly.
 * Statements given without awaiting are pipelined: they run in order, each with its own result.
 * When the signal is aborted, what runs is cancelled in the server and nothing new is started, except within `cleanup`.
 */
export class Session {
  readonly settings: ConnectionSettings;
  /** Called for every NOTICE and WARNING of statements that brought no listener of their own. */
  onNotice: NoticeListener | undefined;
  /** Called for every NOTIFY on a channel that this session listens on. */
  onNotification: ((channel: string) => void) | undefined;
  readonly #client: pg.Client;
  #signal: AbortSignal | undefined;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Of the statements under way, in their order. */
  readonly #listeners: { readonly onNotice: NoticeListener | undefined }[] = [];
  #lost: Error | null = null;
  #cleaningUp = false;
  #cancelling: Promise<void> = Promise.resolve();
  readonly #onAbort = (): void => {
    this.#cancelling = this.#cancelInFlight().catch(() => undefined);
  };

  constructor(client: pg.Client, settings: ConnectionSettings, signal?: AbortSignal) {
    this.#client = client;
    this.settings = settings;
    client.on("error", (error) => (this.#lost ??= error));
    client.on("end", () => (this.#lost ??= new Error("the server closed the connection")));
    client.on("notice", (notice) => {
      const tell = this.#listeners[0]?.onNotice ?? this.onNotice;
      tell?.({ severity: notice.severity ?? "NOTICE", message: notice.message ?? "" }, notice.code);
    });
    client.on("notification", ({ channel }) => this.onNotification?.(channel));
    this.#follow(signal);
  }

  /** The process id given in the start-up key. Behind a proxy it differs from pg_backend_pid() (law 10). */
  get startupPid(): number {
    return (this.#client as unknown as { processID: number | null }).processID ?? 0;
  }

  /** Whether the connection is gone. */
  get lost(): boolean {
    return this.#lost !== null;
  }

  /**
   * Runs one statement, or several separated by semicolons (the last one's result is returned).
   * With `values` the extended protocol is used and there must be exactly one.
   * @throws the server's error as it came; GodwitError CONNECTION_LOST; the signal's reason when aborted before.
   */
  async query(
    text: string,
    values?: readonly unknown[],
    onNotice?: NoticeListener,
  ): Promise<StatementResult> {
    const results = await this.#run(
      values === undefined ? { text } : { text, values: [...values] },
      onNotice,
    );
    return asResult(results.at(-1)!);
  }

  /** As `query`, with the result of every statement of the text. */
  async results(text: string, onNotice?: NoticeListener): Promise<readonly StatementResult[]> {
    return (await this.#run({ text }, onNotice)).map(asResult);
  }

  /** As `query`, with values converted as the driver does it for applications: numbers, booleans, dates, JSON. */
  async typedQuery(
    text: string,
    values: readonly unknown[],
  ): Promise<{ rows: unknown[]; rowCount: number | null }> {
    const [only] = await this.#run({ text, values: [...values], types: pg.types });
    return { rows: only!.rows, rowCount: only!.rowCount };
  }

  async #run(config: pg.QueryConfig, onNotice?: NoticeListener): Promise<pg.QueryResult[]> {
    if (this.#lost !== null) throw connectionLost(this.#lost);
    if (!this.#cleaningUp) throwIfAborted(this.#signal);
    const running = this.#send(config, onNotice);
    this.#inFlight.add(running);
    const limit =
      this.#cleaningUp && this.#signal?.aborted === true ? setTimeout(this.#onAbort, CLEAN_UP_MS) : undefined;
    try {
      // Several statements in one text make the driver return a list, whatever its types say.
      const result: pg.QueryResult | pg.QueryResult[] = await running;
      return Array.isArray(result) ? result : [result];
    } catch (error) {
      // What the server reports when it ends this session is the reason of the loss.
      if (isDatabaseError(error) && !endsSession(error)) throw error;
      this.#lost ??= error instanceof Error ? error : new Error(String(error));
      throw connectionLost(error);
    } finally {
      clearTimeout(limit);
      this.#inFlight.delete(running);
    }
  }

  /** The driver calls back as soon as it has read the answer, so that a notice is known to belong to the statement it came with. */
  #send(config: pg.QueryConfig, onNotice: NoticeListener | undefined): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      const listener = { onNotice };
      this.#listeners.push(listener);
      this.#client.query(config, (error: Error | null, result: pg.QueryResult) => {
        this.#listeners.splice(this.#listeners.indexOf(listener), 1);
        if (error) reject(error);
        else resolve(result);
      });
    });
  }

  /** Lets everything that `send` queries leave in one write, which spares the system calls for each. */
  together(send: () => void): void {
    // The driver's type declarations leave the connection out.
    const { stream } = Reflect.get(this.#client, "connection") as { readonly stream: Duplex };
    stream.cork();
    try {
      send();
    } finally {
      stream.uncork();
    }
  }

  /** As `query`, for when only the rows matter. */
  async rows(text: string, values?: readonly unknown[]): Promise<readonly TextRow[]> {
    return (await this.query(text, values)).rows;
  }

  /**
   * Runs what must still be done after an interruption: rolling back, recording, releasing. It begins when no request to
   * cancel is on its way any more, which might strike it instead. A lost session is left as it is.
   */
  async cleanup<T>(body: () => Promise<T>): Promise<T | undefined> {
    await this.#cancelling;
    if (this.lost) return undefined;
    const before = this.#cleaningUp;
    this.#cleaningUp = true;
    try {
      return await body();
    } finally {
      this.#cleaningUp = before;
    }
  }

  /**
   * Ends the session as libpq's PQfinish does: says so to the server, and does not wait until its process is gone, which takes
   * some milliseconds. What must be over before is said explicitly: a lock is released, a transaction ended. Never throws.
   */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const { stream } = Reflect.get(this.#client, "connection") as { readonly stream: Duplex };
    const timer = setTimeout(() => stream.destroy(), 1000);
    timer.unref();
    void this.#client
      .end()
      .catch(() => undefined)
      .finally(() => clearTimeout(timer));
  }

  /** Runs `body` with one more signal that ends what this session does. */
  async under<T>(signal: AbortSignal, body: () => Promise<T>): Promise<T> {
    const before = this.#signal;
    this.#follow(before === undefined ? signal : AbortSignal.any([before, signal]));
    try {
      return await body();
    } finally {
      this.#follow(before);
    }
  }

  #follow(signal: AbortSignal | undefined): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Leaves a server that cannot be reached: its answer may never come, and the operating system waits a quarter of an hour for it. */
  #giveUp(error: unknown): void {
    const { stream } = Reflect.get(this.#client, "connection") as { readonly stream: Duplex };
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  /** Cancels in the server what was under way when called, again and again until all of it has ended. */
  async #cancelInFlight(): Promise<void> {
    const aimedAt = [...this.#inFlight];
    if (aimedAt.length === 0) return;
    const state = { over: false };
    const ended = Promise.allSettled(aimedAt).finally(() => {
      state.over = true;
    });
    let delivered = monotonicMs();
    while (!state.over && !this.lost) {
      try {
        await cancelQuery(this.#client, this.settings);
        delivered = monotonicMs();
      } catch (error) {
        if (monotonicMs() - delivered > UNREACHABLE_MS) this.#giveUp(error);
      }
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, CANCEL_EVERY_MS))]);
    }
  }
}

function asResult({ rows, rowCount, command }: pg.QueryResult): StatementResult {
  return { rows: rows as TextRow[], rowCount, command: command ?? "" };
}

/** Opens a session that the caller must close. @throws GodwitError DATABASE_UNREACHABLE and what else `connect` throws. */
export async function openSession(settings: ConnectionSettings, options: SessionOptions): Promise<Session> {
  const client = await connect(settings, {
    applicationName: options.applicationName,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.whileWaiting === undefined ? {} : { whileWaiting: options.whileWaiting }),
  });
  return new Session(client, settings, options.signal);
}

/** Class 57P, or FATAL under any other SQLSTATE (idle_in_transaction_session_timeout is 25P03); severities may be translated. */
function endsSession(error: DatabaseError & { readonly code: string }): boolean {
  return (
    error.code.startsWith("57P") ||
    error.code === "25P03" ||
    error.code === "25P04" ||
    error.severity === "FATAL" ||
    error.severity === "PANIC"
  );
}

function connectionLost(cause: unknown): GodwitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GodwitError("CONNECTION_LOST", `the connection to the database was lost: ${reason}`, {
    ...(isDatabaseError(cause) ? { sqlstate: cause.code } : {}),
    hint: "run the same command again: what was committed is in the history, what was not was rolled back",
    cause,
  });
}
