import { startTimeLimit, untilAborted } from "../postgres/connecting/time-limit.ts";
import type { RedisAddress } from "./redis-address.ts";
import type { RedisPackage } from "./redis-client.ts";
import { noAnswer, toRedisFailure, type RedisFailure } from "./redis-failure.ts";

/** How long a question may take in all, connecting included. */
const ANSWER_MS = 2000;

/** The part of the client that is used; it is the same in all its versions from 5 on. */
interface Client {
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
}

/**
 * Asks one Redis. It connects when there is a question and no connection, so that a server that was restarted or
 * failed over is found again by the next question; nothing goes on in the background, and nothing of it keeps the
 * process from ending.
 */
export class RedisLink {
  readonly #redis: RedisPackage;
  readonly #address: RedisAddress;
  #connection: Connection | null = null;

  constructor(redis: RedisPackage, address: RedisAddress) {
    this.#redis = redis;
    this.#address = address;
  }

  /**
   * One command, with an answer after two seconds at most. It may reach the server twice.
   * @throws RedisFailure; the server may have done, or may yet do, what it did not confirm.
   */
  async ask(args: readonly string[]): Promise<unknown> {
    const limit = startTimeLimit(ANSWER_MS, noAnswer(ANSWER_MS));
    try {
      const earlier = this.#connection;
      if (earlier !== null) {
        const answer = await this.#askOn(earlier, args, limit.signal);
        if (!("failure" in answer)) return answer.value;
        // A connection that stood idle may have ended unnoticed, which says nothing of the server.
        if (answer.failure.answer !== null || limit.expired) throw answer.failure;
      }
      this.#connection ??= new Connection(this.#redis, this.#address);
      const answer = await this.#askOn(this.#connection, args, limit.signal);
      if ("failure" in answer) throw answer.failure;
      return answer.value;
    } finally {
      limit.clear();
    }
  }

  /** Lets go of the connection; what was asked and not answered fails. */
  close(): void {
    this.#connection?.drop();
    this.#connection = null;
  }

  async #askOn(
    connection: Connection,
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly value: unknown } | { readonly failure: RedisFailure }> {
    try {
      return { value: await untilAborted(connection.ask(args), signal) };
    } catch (error) {
      const failure = toRedisFailure(error, this.#redis);
      // A demoted master answers too, but by then its name may lead to another server.
      if (failure.answer === null || failure.reason.passing || !connection.opened) {
        connection.drop();
        if (this.#connection === connection) this.#connection = null;
      }
      return { failure };
    }
  }
}

/** One connection, from its start to its end. */
class Connection {
  readonly #client: Client;
  readonly #opening: Promise<unknown>;
  readonly #broken = Promise.withResolvers<never>();
  #hasSocket = false;
  #dropped = false;
  /** Whether it came to be: the server took the password and has the database. */
  opened = false;

  constructor(redis: RedisPackage, { socket, username, password, database }: RedisAddress) {
    const client = redis.createClient({
      socket: { ...socket, connectTimeout: ANSWER_MS, reconnectStrategy: false },
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
      database,
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
    });
    this.#client = client;
    this.#broken.promise.catch(() => undefined);
    client.on("error", (error: unknown) => this.#broken.reject(error));
    client.on("connect", () => {
      this.#hasSocket = true;
      if (this.#dropped) this.#destroy();
    });
    client.unref();
    this.#opening = client.connect().then(
      () => (this.opened = true),
      (error: unknown) => this.#broken.reject(error),
    );
  }

  async ask(args: readonly string[]): Promise<unknown> {
    await Promise.race([this.#opening, this.#broken.promise]);
    return Promise.race([this.#client.sendCommand(args), this.#broken.promise]);
  }

  drop(): void {
    this.#dropped = true;
    // The client forgets about a socket that does not connect yet; that one ends by its own limit.
    if (this.#hasSocket) this.#destroy();
  }

  #destroy(): void {
    try {
      this.#client.destroy();
    } catch {
      // It is closed already.
    }
  }
}
