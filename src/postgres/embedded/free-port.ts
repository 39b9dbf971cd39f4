import { once } from "node:events";
import { createServer } from "node:net";

/** Below the range that systems hand out for outgoing connections, above the well-known services. */
const FIRST = 20_000;
const COUNT = 12_000;

/**
 * A TCP port of 127.0.0.1 that nobody listens on, looked for from a preferred one upward.
 * It may be taken by the time it is used: the caller tries again with the next.
 * @param preferred any number; it is folded into the range 20000–31999.
 */
export async function freePort(preferred: number): Promise<number> {
  for (let offset = 0; offset < 200; offset++) {
    const port = FIRST + ((((preferred - FIRST + offset) % COUNT) + COUNT) % COUNT);
    if (await isFree(port)) return port;
  }
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : FIRST;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once("error", () => resolve(false));
  server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
    server.close(() => resolve(true));
  });
  return promise;
}
