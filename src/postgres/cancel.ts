import type pg from "pg";
import { GodwitError } from "../core/error.ts";
import { serverOf } from "./connecting/connected-server.ts";
import { messageOf } from "./connecting/connect-failure.ts";
import { settled } from "./connecting/dial.ts";
import { startTimeLimit } from "./connecting/time-limit.ts";
import { openWire } from "./connecting/wire.ts";
import { describeHost } from "./redact.ts";
import type { ConnectionSettings } from "./types.ts";

const CANCEL_REQUEST_CODE = 80_877_102;

/**
 * Asks the server to cancel what a client runs (manual 54.2.8): over a connection of its own to the same address,
 * encrypted if the client's is. Resolves when the server has closed that connection, that is, has taken the request;
 * whether anything was cancelled shows at the client. Does nothing when the server gave no key.
 * @param options.timeoutMs limit in milliseconds, 5000 if absent.
 * @throws GodwitError DATABASE_UNREACHABLE when the request could not be delivered in time.
 */
export async function cancelQuery(
  client: pg.Client,
  settings: ConnectionSettings,
  options: { readonly timeoutMs?: number } = {},
): Promise<void> {
  // The driver's type declarations leave the start-up key out.
  const processID: unknown = Reflect.get(client, "processID");
  const secretKey: unknown = Reflect.get(client, "secretKey");
  const connected = serverOf(client);
  if (connected === undefined || typeof processID !== "number" || typeof secretKey !== "number") return;

  const limit = startTimeLimit(options.timeoutMs ?? 5000, new Error("no answer in time"));
  try {
    const { socket } = await openWire(
      connected,
      connected.encrypted ? "demanded" : "none",
      settings,
      limit.signal,
    );
    const request = Buffer.alloc(16);
    request.writeInt32BE(request.length, 0);
    request.writeInt32BE(CANCEL_REQUEST_CODE, 4);
    request.writeInt32BE(processID, 8);
    request.writeInt32BE(secretKey, 12);
    // A server that resets the connection instead of closing it has read the request all the same.
    socket.on("error", () => undefined);
    const closed = settled(socket, "end", limit.signal);
    socket.resume();
    socket.write(request);
    await closed.catch((error: unknown) => {
      if (limit.expired) throw error;
    });
    socket.destroy();
  } catch (error) {
    throw new GodwitError(
      "DATABASE_UNREACHABLE",
      `could not ask ${describeHost(connected.server)} to cancel a statement: ${messageOf(error)}`,
      { hint: "the statement may still run there; pg_cancel_backend() ends it", cause: error },
    );
  } finally {
    limit.clear();
  }
}
