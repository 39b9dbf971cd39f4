import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";

describe("freePort", () => {
  it("passes over a port that is taken", async () => {
    const port = await freePort(24_680);
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    expect(await freePort(port)).not.toBe(port);
  });

  it.each([0, -7, 65_535, 31_999, 4_000_000_000])("folds %d into its range", async (preferred) => {
    const port = await freePort(preferred);
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  });
});
