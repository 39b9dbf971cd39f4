import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { dial } from "./dial.ts";

/** Seconds until the system asks whether the other side is there; null: it never does. Linux tells in hundredths of a second. */
function keepaliveSeconds(localPort: number): number | null {
  const port = localPort.toString(16).toUpperCase().padStart(4, "0");
  const line = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .find((one) => one.trim().split(/\s+/)[1]?.endsWith(`:${port}`));
  const [kind, hundredths] = line?.trim().split(/\s+/)[5]?.split(":") ?? [];
  return kind === "02" ? Number.parseInt(hundredths!, 16) / 100 : null;
}

it.skipIf(process.platform !== "linux").each([
  ["half a minute where the user says nothing", { keepalives: true, keepalivesIdleSeconds: 0 }, 30],
  ["what the user says", { keepalives: true, keepalivesIdleSeconds: 300 }, 300],
  ["never where the user does not want it", { keepalives: false, keepalivesIdleSeconds: 0 }, null],
])("asks whether a silent server is there after %s", async (_, settings, expected) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const socket = await dial({ kind: "tcp", ip: "127.0.0.1", port }, settings, new AbortController().signal);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  const seconds = keepaliveSeconds(socket.localPort!);
  if (expected === null) expect(seconds).toBeNull();
  else {
    expect(seconds).toBeGreaterThan(expected - 10);
    expect(seconds).toBeLessThanOrEqual(expected);
  }
});
