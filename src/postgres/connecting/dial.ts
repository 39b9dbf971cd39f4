import { connect } from "node:net";
import type { Socket } from "node:net";
import type { ConnectionSettings } from "../types.ts";
import type { Address } from "./addresses.ts";
import { ConnectFailure, systemFailure } from "./connect-failure.ts";

/** Asks a server whether it speaks TLS; it answers with one letter, whoever asks (manual, "SSL Session Encryption"). */
export const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

type Keepalive = Pick<ConnectionSettings, "keepalives" | "keepalivesIdleSeconds">;

/**
 * Where the user says nothing: libpq leaves it to the system then, which asks after two hours of silence. So long a run would wait
 * for the answer of a server whose machine is gone. Ten probes follow, a second apart (libuv).
 */
const KEEPALIVES_IDLE_SECONDS = 30;

/**
 * Opens a socket.
 * @throws ConnectFailure; the signal's reason when it is aborted. The socket is destroyed then.
 */
export async function dial(address: Address, settings: Keepalive, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect(
    address.kind === "tcp" ? { host: address.ip, port: address.port } : { path: address.path },
  );
  // Between the waits below nobody listens, and an error without a listener would end the process.
  socket.on("error", () => undefined);
  try {
    await settled(socket, "connect", signal);
  } catch (error) {
    signal.throwIfAborted();
    throw systemFailure(error);
  }
  if (address.kind === "tcp") {
    socket.setNoDelay(true);
    const idle = settings.keepalivesIdleSeconds || KEEPALIVES_IDLE_SECONDS;
    if (settings.keepalives) socket.setKeepAlive(true, idle * 1000);
  }
  return socket;
}

/**
 * Asks for TLS and reads the answer of one byte (manual 54.2.10).
 * @returns whether the server is willing.
 * @throws ConnectFailure, also for bytes behind the answer: they came in the clear and may be an attacker's.
 */
export async function requestTls(socket: Socket, signal: AbortSignal): Promise<boolean> {
  socket.write(SSL_REQUEST);
  let answer: Buffer;
  try {
    answer = await settled(socket, "data", signal);
  } catch (error) {
    signal.throwIfAborted();
    // libpq ends the search when a connection breaks, as against one that could not be made.
    throw systemFailure(error).but({ next: "stop" });
  }
  socket.pause();
  const letter = answer.toString("latin1", 0, 1);
  if (answer.length === 1 && (letter === "S" || letter === "N")) return letter === "S";
  socket.destroy();
  if (letter === "E") {
    throw new ConnectFailure("the server reported an error when asked for TLS", {
      next: "stop",
      retryable: true,
    });
  }
  if (letter !== "S" && letter !== "N") throw notPostgres();
  throw new ConnectFailure("unencrypted data came after the server's answer to the request for TLS", {
    next: "stop",
    retryable: false,
  });
}

/** The failure of a port behind which something else listens. */
export function notPostgres(): ConnectFailure {
  return new ConnectFailure("what answers there does not speak PostgreSQL's protocol", {
    next: "stop",
    retryable: false,
    hint: "check host and port",
  });
}

/**
 * Resolves with the value of the first event of that name. An error, the end of the socket or an abort destroys it.
 * @throws what the socket's error was, EPIPE for its end, the signal's reason.
 */
export async function settled<Value>(socket: Socket, event: string, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const onClose = (): void =>
    reject(Object.assign(new Error("the connection was closed"), { code: "EPIPE" }));
  const onAbort = (): void => reject(signal.reason);
  socket.once(event, resolve).once("error", reject).once("close", onClose);
  signal.addEventListener("abort", onAbort, { once: true });
  if (socket.destroyed) onClose();
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    socket.off(event, resolve).off("error", reject).off("close", onClose);
    signal.removeEventListener("abort", onAbort);
  }
}
