import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../run-cli.ts";
import { MemoryStream } from "../testing/fake-cli.ts";
import { VERBS } from "../verbs.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-completion-"));
  mkdirSync(join(folder, "one", "migrations", "3_folder"), { recursive: true });
  for (const name of ["1_users.sql", "2_orders.ts", "view.repeatable.sql", "README.md", "3_folder/up.sql"]) {
    writeFileSync(join(folder, "one", "migrations", name), "SELECT 1;");
  }
  mkdirSync(join(folder, "two", "a"), { recursive: true });
  mkdirSync(join(folder, "two", "b"));
  writeFileSync(join(folder, "two", "a", "1_x.sql"), "SELECT 1;");
  writeFileSync(join(folder, "two", "b", "2_y.sql"), "SELECT 1;");
  writeFileSync(
    join(folder, "two", "godwit.config.yaml"),
    "streams:\n  alpha: { migrations: a }\n  beta: { migrations: b }\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is offered for the last of the words. */
async function offered(words: readonly string[], project = "one"): Promise<string[]> {
  const stdout = new MemoryStream();
  const stderr = new MemoryStream();
  const exit = await runCli(["__complete", "--", ...words], {
    io: { stdout, stderr, env: {}, cwd: join(folder, project), now: Date.now },
    signal: new AbortController().signal,
    createGodwit: () => Promise.reject(new Error("completion must not start the engine")),
  });
  expect([exit, stderr.text]).toEqual([0, ""]);
  return stdout.text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t")[0]!);
}

describe("completion", () => {
  it("offers the verbs, and those that begin as typed", async () => {
    expect(await offered([""])).toEqual(VERBS.map(({ name }) => name));
    expect(await offered(["re"])).toEqual(["redo", "repair"]);
    expect(await offered(["--json", "--stream", "x", "ba"])).toEqual(["baseline"]);
    expect(await offered(["help", "ver"])).toEqual(["verify", "version"]);
    expect(await offered(["dev", "st"])).toEqual(["start", "stop", "status"]);
    expect(await offered(["lock", ""])).toEqual(["status", "release", "blockers"]);
  });

  it("offers the flags of the verb that are not used yet, also behind another tool's word", async () => {
    expect(await offered(["up", "--s"])).toEqual(["--step", "--stream", "--statement-timeout"]);
    expect(await offered(["migrate", "--ste"])).toEqual(["--step"]);
    expect(await offered(["up", "--step", "1", "--ste"])).toEqual([]);
    expect(await offered(["up", "--stream", "a", "--str"])).toEqual(["--stream"]);
    expect(await offered(["init", "--lock"])).toEqual([]);
    expect(await offered(["lock", "release", "--force", "--r"])).toEqual(["--reason"]);
    expect(await offered(["--l"])).toContain("--lock-wait");
  });

  it("offers ids, the newest first, from file names alone", async () => {
    const ids = ["3_folder", "2_orders", "1_users"];
    expect(await offered(["up", "--to", ""])).toEqual(ids);
    expect(await offered(["up", "--to", "2"])).toEqual(["2_orders"]);
    expect(await offered(["up", "--to=2"])).toEqual(["--to=2_orders"]);
    expect(await offered(["baseline", ""])).toEqual(ids);
    expect(await offered(["baseline", "1_users", ""])).toEqual([]);
    expect(await offered(["repair", "forget", "1_users", ""])).toEqual(ids);
    expect(await offered(["--migrations", join(folder, "two/a"), "history", "--id", ""])).toEqual(["1_x"]);
  });

  it("offers streams, and ids of the stream that was named", async () => {
    expect(await offered(["up", "--stream", ""], "two")).toEqual(["alpha", "beta"]);
    expect(await offered(["up", "--stream", "beta", "--to", ""], "two")).toEqual(["2_y"]);
    expect(await offered(["wait", "--for", ""], "two")).toEqual(["beta/2_y", "alpha/1_x"]);
  });

  it("offers words to choose from, and leaves paths to the shell", async () => {
    expect(await offered(["up", "--color", ""])).toEqual(["auto", "always", "never"]);
    expect(await offered(["up", "--log=j"])).toEqual(["--log=json"]);
    expect(await offered(["completion", "z"])).toEqual(["zsh"]);
    expect(await offered(["repair", ""])).toEqual([
      "accept-checksum",
      "forget",
      "mark-applied",
      "mark-not-applied",
      "mark-step-applied",
      "mark-step-not-applied",
    ]);
    expect(await offered(["up", "--config", ""])).toEqual([":files"]);
    expect(await offered(["init", ""])).toEqual([":folders"]);
  });

  it("offers nothing where there is nothing, and does not fail", async () => {
    expect(await offered(["up", "--to", ""], "nowhere")).toEqual([]);
    expect(await offered(["status", ""])).toEqual([]);
    expect(await offered(["frobnicate", "--x", ""])).toEqual([]);
    expect(await offered(["up", "--nonsense="])).toEqual([]);
    expect(await offered(["--config", "missing.yaml", "up", "--stream", ""])).toEqual([]);
  });
});
