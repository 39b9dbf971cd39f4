import { connect, createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { testProject } from "../../support/project.ts";

/** What a server under load may need until it answers a new connection. */
const SLOW_MS = 3000;

/** The database at a URL, behind something that lets the connection wait before it answers. */
async function slowly(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const relay = createServer((client) => {
    client.on("error", () => undefined);
    const timer = setTimeout(() => {
      const server = connect(Number(port), hostname);
      server.on("error", () => client.destroy());
      client.pipe(server).pipe(client);
    }, SLOW_MS);
    client.once("close", () => clearTimeout(timer));
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  onTestFinished(() => void relay.close());
  const slow = new URL(url);
  slow.port = String((relay.address() as AddressInfo).port);
  return slow.href;
}

it("a server that answers a new connection late is no reason for down to give up, as it is none for up", async () => {
  const { database, open } = await testProject({
    "1_first.sql": "-- migrate:up\nCREATE TABLE first ();\n-- migrate:down\nDROP TABLE first;\n",
  });
  const godwit = await open({ database: await slowly(database.url) });
  expect((await godwit.up()).total).toBe(1);
  expect((await godwit.down()).total).toBe(1);
});
