import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { socketAnswers } from "./socket-answers.ts";

/** A Unix socket that does with each connection what it is told to. */
async function listening(serve: (socket: Socket) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-socket-"));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, "s");
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return path;
}

describe.skipIf(process.platform === "win32")("a server on a Unix socket", () => {
  it("is there when it answers, with whatever", async () => {
    const declining = await listening((socket) => socket.once("data", () => socket.write("N")));
    expect(await socketAnswers(declining)).toBe(true);
    const full = await listening((socket) => socket.once("data", () => socket.write("E\0\0\0\x04")));
    expect(await socketAnswers(full)).toBe(true);
  });

  it("is gone when it takes the connection and ends without an answer, as one does that is being killed", async () => {
    const ending = await listening((socket) => socket.destroy());
    expect(await socketAnswers(ending)).toBe(false);
    const asked = await listening((socket) => socket.once("data", () => socket.destroy()));
    expect(await socketAnswers(asked)).toBe(false);
  });

  it("counts as there when it stays silent", async () => {
    expect(await socketAnswers(await listening(() => undefined), 50)).toBe(true);
  });

  it("is not there where nobody listens", async () => {
    expect(await socketAnswers(join(tmpdir(), "godwit-no-such-socket"))).toBe(false);
  });
});
