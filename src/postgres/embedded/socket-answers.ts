import { createConnection } from "node:net";
import { SSL_REQUEST } from "../connecting/dial.ts";
import { codeOf } from "./system-error.ts";

/** A server that lives answers at once; one that was stopped, not ended, does when it goes on. */
const SILENT_MS = 5000;

/**
 * Whether a PostgreSQL server answers on a Unix socket. That it takes a connection proves nothing: the system does that for
 * a process that has been killed and is not gone yet, which never answers. One that stays silent counts as there.
 * @param silentMs how long to wait for its answer, in milliseconds.
 */
export async function socketAnswers(path: string, silentMs: number = SILENT_MS): Promise<boolean> {
  const socket = createConnection(path);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => socket.write(SSL_REQUEST));
      socket.once("data", () => resolve(true));
      socket.setTimeout(silentMs, () => resolve(true));
      // The queue of those that wait to be let in is full.
      socket.once("error", (error) => resolve(codeOf(error) === "EAGAIN"));
      socket.once("close", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
