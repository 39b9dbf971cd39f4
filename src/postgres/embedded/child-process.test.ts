import { describe, expect, it } from "vitest";
import { runChild, serverEnvironment } from "./child-process.ts";

const node = process.execPath;

describe("runChild", () => {
  it("gives the status and what was said", async () => {
    const script = "console.log('out'); console.error('err'); process.exitCode = 3";
    const result = await runChild(node, ["-e", script], { cwd: "/", limitMs: 20_000 });
    expect(result).toMatchObject({ status: 3, timedOut: false });
    expect(result.output).toContain("out\n");
    expect(result.output).toContain("err\n");
  });

  it("passes arguments on as they are", async () => {
    const args = ["-e", "console.log(process.argv.slice(1).join('|'))", "--", "$HOME; `id`", "a b", ""];
    expect((await runChild(node, args, { cwd: "/", limitMs: 20_000 })).output).toBe("$HOME; `id`|a b|\n");
  });

  it("kills what does not end in time", async () => {
    const result = await runChild(node, ["-e", "setInterval(() => 0, 1000)"], { cwd: "/", limitMs: 50 });
    expect(result).toMatchObject({ status: null, timedOut: true });
  });

  it("kills the program and throws when aborted", async () => {
    const signal = AbortSignal.timeout(50);
    const running = runChild(node, ["-e", "setInterval(() => 0, 1000)"], {
      cwd: "/",
      limitMs: 20_000,
      signal,
    });
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("throws when there is no such program", async () => {
    const running = runChild("/nonexistent/program", [], { cwd: "/", limitMs: 1000 });
    await expect(running).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("serverEnvironment", () => {
  it("lets nothing through that steers PostgreSQL", () => {
    expect(
      serverEnvironment({ PATH: "/bin", PGDATA: "/x", PGPORT: "1", LC_ALL: "de_DE", TZ: "UTC" }),
    ).toEqual({
      LC_ALL: "C",
      PATH: "/bin",
      TZ: "UTC",
    });
  });
});
