import type { Socket } from "node:net";
import pg from "pg";
import { abortReason } from "../core/interrupt.ts";
import { guardAuthentication } from "./connecting/authentication-guard.ts";
import type { AuthenticationGuard } from "./connecting/authentication-guard.ts";
import { notPostgres } from "./connecting/dial.ts";
import { search } from "./connecting/search.ts";
import type { Attempt } from "./connecting/search.ts";
import { rememberServer } from "./connecting/connected-server.ts";
import { checkTarget } from "./connecting/session-target.ts";
import { passwordMissing, startupFailure } from "./connecting/startup-failure.ts";
import { startTimeLimit, untilAborted } from "./connecting/time-limit.ts";
import { unreachable } from "./connecting/unreachable.ts";
import type { FailedAttempt } from "./connecting/unreachable.ts";
import { openWire } from "./connecting/wire.ts";
import type { Wire } from "./connecting/wire.ts";
import { isDatabaseError } from "./database-error.ts";
import type { ConnectionSettings } from "./types.ts";

export { isRetryableConnectError } from "./connecting/unreachable.ts";

export interface ConnectOptions {
  /** Sent as it is; the server cuts it at 63 bytes. */
  readonly applicationName: string;
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole search over all servers; absent: each address has connect_timeout or 30 s. */
  readonly timeoutMs?: number;
  /** Called once the server has been asked for a session: it is busy for some milliseconds then. */
  readonly whileWaiting?: () => void;
}

/** Values come back as the server wrote them. */
const TEXT_TYPES: pg.CustomTypesConfig = { getTypeParser: () => (value: unknown) => value };

/**
 * Connects to the first server that will do, by libpq's rules (manual 32.1). The driver gets every value explicitly
 * and a socket that is open already, so it reads neither the environment nor password files and decides nothing
 * about TLS. The caller must end the client; losing the connection later never ends the process.
 * @throws GodwitError DATABASE_UNREACHABLE with every server tried (see `isRetryableConnectError`); INTERRUPTED,
 *   TERMINATED or what else the signal's reason is as soon as it is aborted.
 */
export async function connect(settings: ConnectionSettings, options: ConnectOptions): Promise<pg.Client> {
  const failed: FailedAttempt[] = [];
  const expired = new Error("time is up");
  const limit = startTimeLimit(options.timeoutMs ?? Infinity, expired, options.signal);
  try {
    const client = await search(
      settings,
      async (attempt, signal) => await tryServer(attempt, settings, options, signal),
      limit.signal,
      failed,
    );
    if (client !== null) return client;
  } catch (error) {
    if (!limit.expired) throw options.signal?.aborted === true ? abortReason(options.signal) : error;
  } finally {
    limit.clear();
  }
  throw unreachable(settings, failed, limit.expired ? (options.timeoutMs ?? null) : null);
}

async function tryServer(
  attempt: Attempt,
  settings: ConnectionSettings,
  { applicationName, whileWaiting }: ConnectOptions,
  signal: AbortSignal,
): Promise<pg.Client> {
  const wire = await openWire(attempt, attempt.encryption, settings, signal);
  const { client, guard } = createClient(wire, attempt, settings, applicationName);
  try {
    const connecting = client.connect();
    // The driver writes its message in the next tick.
    if (whileWaiting !== undefined) setImmediate(whileWaiting);
    await untilAborted(connecting, signal);
    if (guard.refusal !== null) throw guard.refusal;
    await untilAborted(checkTarget(client, attempt.target), signal);
  } catch (error) {
    if (guard.authenticated && !signal.aborted) void client.end().catch(() => undefined);
    else wire.socket.destroy();
    signal.throwIfAborted();
    const failure = startupFailure(error, { ...attempt, settings, encrypted: wire.encrypted });
    // pg_hba.conf may want the other kind of connection; one that was declined encryption has been that already.
    const otherEncryption =
      isDatabaseError(error) &&
      error.code !== "57P03" &&
      !guard.authenticated &&
      wire.encrypted === (attempt.encryption !== "none");
    throw failure.but({ otherEncryption });
  }
  releaseParserErrors(wire.socket);
  rememberServer(client, { server: attempt.server, address: attempt.address, encrypted: wire.encrypted });
  return client;
}

/** The driver's own configuration, with the members that its type declarations leave out. */
type DriverConfig = pg.ClientConfig & {
  readonly sslnegotiation: "postgres";
  readonly enableChannelBinding: boolean;
  readonly scramMaxIterations: number;
  readonly pipeline: boolean;
};

function createClient(
  wire: Wire,
  attempt: Attempt,
  settings: ConnectionSettings,
  applicationName: string,
): { client: pg.Client; guard: AuthenticationGuard } {
  const { socket, encrypted } = wire;
  // eslint-disable-next-line prefer-const -- the password is asked for only once the guard is there
  let guard: AuthenticationGuard;
  const config: DriverConfig = {
    user: settings.user,
    database: settings.database,
    host: attempt.address.kind === "unix" ? attempt.address.path : attempt.address.ip,
    port: attempt.server.port,
    // As a function: an empty or absent password would send the driver to PGPASSWORD and ~/.pgpass.
    password: () => {
      if (guard.refusal !== null) throw guard.refusal;
      if (attempt.password === null) throw passwordMissing();
      return attempt.password;
    },
    ssl: false,
    sslnegotiation: "postgres",
    stream: () => openedAlready(socket),
    enableChannelBinding: encrypted && settings.channelBinding !== "disable",
    scramMaxIterations: 0,
    connectionTimeoutMillis: 0,
    keepAlive: false,
    statement_timeout: false,
    query_timeout: undefined,
    types: TEXT_TYPES,
    pipeline: true,
  };
  const client = new ExplicitClient(config, startupMessage(settings, applicationName));
  // Without a listener a lost connection would end the process; whoever runs a query gets the error there.
  client.on("error", () => undefined);
  catchParserErrors(socket);
  guard = guardAuthentication(client.connection, settings, encrypted);
  return { client, guard };
}

function startupMessage(settings: ConnectionSettings, applicationName: string): Record<string, string> {
  return {
    user: settings.user,
    database: settings.database,
    application_name: applicationName,
    ...settings.startupParameters,
    ...(settings.options === null ? {} : { options: settings.options }),
  };
}

/** The driver builds its start-up message partly from PG* variables of the process; this one does not. */
// eslint-disable-next-line import/no-named-as-default-member -- the package is CommonJS; its default is the whole
class ExplicitClient extends pg.Client {
  readonly #startup: Readonly<Record<string, string>>;

  constructor(config: pg.ClientConfig, startup: Readonly<Record<string, string>>) {
    super(config);
    this.#startup = startup;
  }

  getStartupConf(): Readonly<Record<string, string>> {
    return this.#startup;
  }
}

/** Types of what a server may send first: Authentication, ErrorResponse, NoticeResponse, NegotiateProtocolVersion. */
const FIRST_BYTES = "RENv";

/** The driver opens the stream it is given; this one is open, so that it only has to be told so. */
function openedAlready(socket: Socket): Socket {
  socket.connect = () => {
    process.nextTick(() => {
      socket.emit(socket.destroyed ? "close" : "connect");
      socket.resume();
    });
    return socket;
  };
  return socket;
}

/**
 * The driver's parser throws within the socket's `data` event for an authentication request it does not know, which
 * would end the process. While starting up, such an error fails the connection instead; so does a first byte that no
 * PostgreSQL server sends, behind which the parser may wait for more for ever.
 */
function catchParserErrors(socket: Socket): void {
  const emit = socket.emit.bind<(event: string | symbol, ...values: unknown[]) => boolean>(socket);
  let first = true;
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event !== "data") return emit(event, ...values);
    const [data] = values;
    if (first && Buffer.isBuffer(data) && !FIRST_BYTES.includes(data.toString("latin1", 0, 1))) {
      socket.destroy(notPostgres());
      return true;
    }
    first = false;
    try {
      return emit(event, ...values);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  };
}

function releaseParserErrors(socket: Socket): void {
  Reflect.deleteProperty(socket, "emit");
}
