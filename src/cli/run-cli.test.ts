import { describe, expect, it } from "vitest";
import { GodwitError } from "../core/error.ts";
import { interrupted } from "../core/interrupt.ts";
import { schemaOfDocument } from "./json-schemas/by-verb.ts";
import { finishedRun, runFake } from "./testing/fake-cli.ts";
import { EVENTS } from "./testing/sample-events.ts";
import { applied, runResult, statusOf, statusRow, targetRun } from "./testing/sample-results.ts";
import { VERBS } from "./verbs.ts";

const pending = statusOf([statusRow("a"), statusRow("b", { state: "pending", appliedAt: null })]);
const oneUp = () => finishedRun(runResult(targetRun([applied("20260101_users")])), EVENTS);

describe("a command line that cannot be understood", () => {
  it.each([
    [["statsu"], "`status`"],
    [["rollbak"], ""],
    [["up", "--stepp", "2"], "`--step`"],
    [["--jsno", "status"], "`--json`"],
    [["up", "--lock-wiat=1s"], "`--lock-wait`"],
    [["status", "extra"], '"extra"'],
    [["baseline"], "<id>"],
    [["up", "--to"], "--to"],
    [["up", "--step", "many"], "--step"],
    [["up", "--timeout", "30"], "--timeout 30s"],
    [["up", "--log", "xml"], "text, json"],
    [["--color", "sometimes", "up"], "--color"],
    [["down", "0"], "N"],
    [["down", "-1"], "N"],
    [["down", "2", "--all"], "exclude each other"],
    [["down", "--to", "a", "--all"], "exclude each other"],
    [["plan", "--all"], "--down"],
    [["dev", "strat"], "`start`"],
    [["repair", "forget", "a"], "--reason"],
    [["repair", "mark-applied", "--reason", "x"], "which migration"],
    [["repair", "frget", "--reason", "x"], "`forget`"],
    [["wait", "--for", "a", "--connection"], "exclude each other"],
    [["new"], "<name>"],
    [["new", "--ts", "--repeatable", "x"], "exclude each other"],
    [["help", "uup"], "`up`"],
    [["up", "--stream", ""], "--stream"],
  ])("%j ends with 2 and says %s", async (argv, said) => {
    const { exit, stdout, stderr, calls } = await runFake(argv);
    expect(exit).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error\[USAGE\]: /);
    expect(stderr).toContain(said);
    expect(calls).toEqual([]);
  });

  it("is one document with --json", async () => {
    const { exit, stdout } = await runFake(["statsu", "--json"]);
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      verb: "statsu",
      ok: false,
      code: "USAGE",
      exit: 2,
    });
  });

  it("is one line with --log json", async () => {
    const { stderr } = await runFake(["--log", "json", "statsu"]);
    expect(JSON.parse(stderr)).toMatchObject({ type: "error", code: "USAGE" });
  });

  it("shows the help when nothing was asked for", async () => {
    const { exit, stdout } = await runFake([]);
    expect(exit).toBe(2);
    expect(stdout).toContain("Usage: godwit <verb>");
  });
});

describe("help", () => {
  const verbs = VERBS.map(({ name }) => name);

  it.each(verbs)("of %s has examples that can be typed", async (verb) => {
    const { exit, stdout, stderr } = await runFake([verb, "--help"]);
    expect([exit, stderr]).toEqual([0, ""]);
    const commands = [...stdout.matchAll(/^ {2}\$ (?:.*?\()?godwit ?(.*?)(?: {2,}.*)?$/gm)].map(
      (match) => match[1]!,
    );
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const words = [...command.replace(/ [|>] .*$|\)"?$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
        (match) => match[1] ?? match[2]!,
      );
      if (["init", "demo"].includes(words[0]!)) continue;
      // The verb is reached: the fake engine has no answer, or none was needed.
      expect((await runFake(words)).stderr).not.toContain("error[USAGE]");
    }
  });

  it("lists every verb, and none of the words of other tools", async () => {
    const { stdout } = await runFake(["--help"]);
    for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
    expect(stdout).not.toMatch(/deploy|stamp|downgrade|up\|/);
    expect(stdout.indexOf("up ")).toBeLessThan(stdout.indexOf("--config"));
  });

  it.each([["up"], ["dev", "start"]])("help %s %s is --help of it", async (...words) => {
    expect((await runFake(["help", ...words])).stdout).toBe((await runFake([...words, "--help"])).stdout);
  });
});

describe("options", () => {
  it("reach the engine, before the verb or behind it", async () => {
    const flags = [
      "--config",
      "c.yaml",
      "--database",
      "postgres://h/d",
      "--direct-url",
      "postgres://g/d",
      "--embedded",
    ];
    const limits = ["--migrations", "m", "--lock-timeout", "2s", "--statement-timeout", "1min"];
    const run = ["--stream", "a", "--target=b", "--stream", "a", "--timeout", "1h", "--connect-wait", "30s"];
    const verbs = { up: oneUp() };
    for (const argv of [
      [...flags, ...limits, ...run, "up", "--to", "x", "--step", "3", "--reapply", "--lock-wait", "0"],
      ["up", "--lock-wait", "0", "--to", "m/x.sql", "--step=3", "--reapply", ...run, ...limits, ...flags],
    ]) {
      const { calls, engine, exit } = await runFake(argv, { verbs, env: { HOME: "/h" } });
      expect(exit).toBe(0);
      expect(engine).toEqual({
        cwd: "/project",
        env: { HOME: "/h" },
        config: "c.yaml",
        database: "postgres://h/d",
        directUrl: "postgres://g/d",
        embedded: true,
        migrations: "m",
        lockTimeoutMs: 2000,
        statementTimeoutMs: 60_000,
      });
      expect(calls).toEqual([
        [
          "up",
          {
            signal: expect.any(AbortSignal),
            streams: ["a", "b"],
            timeoutMs: 3_600_000,
            connectWaitMs: 30_000,
            lockWaitMs: 0,
            to: "x",
            steps: 3,
            reapply: true,
          },
        ],
      ]);
    }
  });

  it.each([
    [["down"], "down", {}],
    [["down", "3"], "down", { steps: 3 }],
    [["down", "--all"], "down", { all: true }],
    [["redo", "2"], "redo", { steps: 2 }],
    [["plan", "--down", "--to", "a"], "plan", { direction: "down", to: "a" }],
    [["up", "--dry-run", "--step", "1"], "plan", { direction: "up", steps: 1 }],
    [["down", "--all", "--dry-run"], "plan", { direction: "down", all: true }],
    [["history", "--limit", "0", "--id", "a"], "history", { limit: 0, id: "a" }],
    [["graph", "--offline"], "graph", { offline: true }],
    [["baseline", "m/a.sql", "--reason", "r"], "baseline", { id: "a", reason: "r" }],
    [
      ["repair", "forget", "a", "b", "--reason", "r"],
      "repair",
      { action: "forget", ids: ["a", "b"], reason: "r" },
    ],
    [["repair"], "repair", {}],
    [["wait", "--for", "s/a", "--for", "b"], "wait", { for: ["s/a", "b"], connectionOnly: false }],
    [["wait", "--connection"], "wait", { connectionOnly: true }],
    [["new", "add", "orders"], "create", { name: "add orders", format: "sql" }],
    [
      ["new", "x", "--ts", "--requires", "a", "--stream", "s"],
      "create",
      { name: "x", format: "ts", requires: ["a"], stream: "s" },
    ],
    [["dev", "stop"], "devStop", {}],
    [["log"], "history", {}],
    [["migrate"], "up", {}],
  ])("%j calls %s with %j", async (argv, verb, options) => {
    const { calls } = await runFake(argv);
    expect(calls).toEqual([[verb, expect.objectContaining(options)]]);
    const given = Object.keys(Object(calls[0]?.[1])).filter((key) => key !== "signal");
    expect(given.toSorted()).toEqual(Object.keys(options).toSorted());
  });
});

describe("words of other tools", () => {
  it.each([
    ["migrate", "up"],
    ["deploy", "up"],
    ["upgrade", "up"],
    ["apply", "up"],
    ["downgrade", "down"],
    ["revert", "down"],
    ["info", "status"],
    ["current", "status"],
    ["heads", "status"],
    ["resolve", "repair"],
    ["log", "history"],
  ])("%s is %s, and says so", async (word, verb) => {
    const { stderr } = await runFake([word]);
    expect(stderr).toContain(`\`godwit ${word}\` is \`godwit ${verb}\`\n`);
  });

  it("say nothing under --json and --quiet", async () => {
    const verbs = { up: oneUp() };
    expect((await runFake(["migrate", "--json"], { verbs })).stderr).toBe("");
    expect((await runFake(["migrate", "--quiet"], { verbs })).stderr).toBe("");
  });
});

describe("output", () => {
  it("has progress and totals on stderr, and nothing on stdout, for up", async () => {
    const { exit, stdout, stderr } = await runFake(["up"], { verbs: { up: oneUp() } });
    expect([exit, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("CREATE TABLE users ( id int )");
    expect(stderr.trimEnd().split("\n").at(-1)).toBe("✓ 1 migration applied in 34 ms");
  });

  it("is one document with --json, and stderr is silent", async () => {
    const warning = { type: "warning", target: "shop", message: "w", hint: null } as const;
    const up = finishedRun(runResult(targetRun([applied("a")])), [...EVENTS, warning]);
    const { stdout, stderr } = await runFake(["up", "--json"], { verbs: { up } });
    expect(stderr).toBe("");
    const document: unknown = JSON.parse(stdout);
    expect(schemaOfDocument("up").safeParse(document).error).toBeUndefined();
    expect(document).toMatchObject({
      version: 1,
      verb: "up",
      ok: true,
      code: "OK",
      exit: 0,
      run_id: "0190c1a0-0000-7000-8000-000000000001",
      data: { targets: [{ duration_ms: 34, migrations: [{ id: "a", duration_ms: 12 }] }], total: 1 },
      warnings: [{ target: "shop", message: "w", hint: null }],
      error: null,
    });
  });

  it("keeps what succeeded in the document of a failure", async () => {
    const error = new GodwitError("MIGRATION_FAILED", "broken", {
      sqlstate: "42P01",
      hint: "mend it",
      detail: "why",
    });
    const failure = new GodwitError("MIGRATION_FAILED", "broken", {
      sqlstate: "42P01",
      hint: "mend it",
      location: { file: "a.sql", line: 1, column: 2, excerpt: "x" },
      result: runResult(targetRun([applied("a")], { error })),
    });
    const json = await runFake(["up", "--json"], { verbs: { up: finishedRun(failure) } });
    expect(json.exit).toBe(1);
    const document: unknown = JSON.parse(json.stdout);
    expect(schemaOfDocument("up").safeParse(document).error).toBeUndefined();
    expect(document).toMatchObject({
      ok: false,
      code: "MIGRATION_FAILED",
      exit: 1,
      data: { total: 1, targets: [{ error: { code: "MIGRATION_FAILED", detail: "why" } }] },
      error: {
        message: "broken",
        hint: "mend it",
        sqlstate: "42P01",
        location: { file: "a.sql", line: 1, column: 2 },
      },
    });
    const text = await runFake(["up"], { verbs: { up: finishedRun(failure) } });
    expect(text.stderr).toContain("error[MIGRATION_FAILED]: broken");
    expect(text.stderr).toContain("1 migration applied before that and kept");
  });

  it("of --log json is NDJSON alone on stderr, beside --json too", async () => {
    for (const flags of [[], ["--json"]]) {
      const { stderr, stdout } = await runFake(["up", "--log", "json", ...flags], { verbs: { up: oneUp() } });
      const lines = stderr.trimEnd().split("\n");
      expect(lines).toHaveLength(EVENTS.length);
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty("type");
      expect(stdout === "").toBe(flags.length === 0);
    }
  });

  it("goes to stdout for status, with nothing on stderr", async () => {
    const { exit, stdout, stderr } = await runFake(["status"], { verbs: { status: finishedRun(pending) } });
    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("1 applied, 1 pending\nnext: godwit up\n");
  });

  it("names the flags again in the next command, but no connection string", async () => {
    const argv = [
      "status",
      "--config",
      "my config.yaml",
      "--stream",
      "shop",
      "--database",
      "postgres://u:s3cret@h/d",
    ];
    const { stdout } = await runFake(argv, { verbs: { status: finishedRun(pending) } });
    expect(stdout).toContain("next: godwit up --config 'my config.yaml' --database … --stream shop\n");
    expect(stdout).not.toContain("s3cret");
  });

  it("has colour where it is asked for", async () => {
    const verbs = { status: finishedRun(pending) };
    const coloured = async (argv: string[], env: Record<string, string>, columns = 0) =>
      (await runFake(["status", ...argv], { verbs, env, columns })).stdout.includes("\u001b[");
    expect(await coloured([], {})).toBe(false);
    expect(await coloured([], {}, 80)).toBe(true);
    expect(await coloured([], { NO_COLOR: "1" }, 80)).toBe(false);
    expect(await coloured(["--color", "always"], { NO_COLOR: "1" })).toBe(true);
    expect(await coloured([], { FORCE_COLOR: "1" })).toBe(true);
  });
});

describe("exit status", () => {
  it.each([
    ["OK", 0],
    ["PENDING", 3],
    ["CHECKSUM_MISMATCH", 5],
    ["NEEDS_REPAIR", 9],
  ] as const)("of status --exit-code for %s is %i", async (code, exit) => {
    const verbs = { status: finishedRun(statusOf(pending.targets[0]!.migrations, { code })) };
    expect((await runFake(["status", "--exit-code"], { verbs })).exit).toBe(exit);
    expect((await runFake(["status"], { verbs })).exit).toBe(0);
    const { stdout } = await runFake(["status", "--exit-code", "--json"], { verbs });
    const document: unknown = JSON.parse(stdout);
    expect(schemaOfDocument("status").safeParse(document).error).toBeUndefined();
    expect(document).toMatchObject({ code, exit, ok: exit === 0 });
  });

  it("of status --exit-code is the worst of all targets", async () => {
    const rows = pending.targets[0]!.migrations;
    const targets = (["PENDING", "NEEDS_REPAIR", "CHECKSUM_MISMATCH"] as const).flatMap(
      (code) => statusOf(rows, { code, target: code }).targets,
    );
    const { exit } = await runFake(["status", "--exit-code"], {
      verbs: { status: finishedRun({ targets }) },
    });
    expect(exit).toBe(9);
  });

  it.each([
    ["LOCK_BUSY", 4],
    ["IRREVERSIBLE", 6],
    ["DATABASE_UNREACHABLE", 8],
    ["INTERRUPTED", 130],
    ["TERMINATED", 143],
  ] as const)("of %s is %i", async (code, exit) => {
    const up = finishedRun(new GodwitError(code, "x"));
    expect((await runFake(["up"], { verbs: { up } })).exit).toBe(exit);
  });

  it("of wait is 3 when what it waits for did not come", async () => {
    const result = {
      reached: false,
      waitedMs: 1000,
      targets: [{ target: "shop", database: "d", missing: ["a"] }],
    };
    const { exit, stderr, stdout } = await runFake(["wait"], { verbs: { wait: finishedRun(result) } });
    expect([exit, stdout]).toEqual([3, ""]);
    expect(stderr).toBe("✗ not ready after 1.0 s\n    shop/a is not applied on d\n");
  });

  it.each([
    [{ brokenAt: 7, reason: "hash differs", changed: [], downChanged: [], reformatted: [], missing: [] }, 5],
    [{ brokenAt: null, reason: null, changed: ["a"], downChanged: [], reformatted: [], missing: [] }, 5],
    [
      { brokenAt: null, reason: null, changed: [], downChanged: ["a"], reformatted: ["b"], missing: ["c"] },
      0,
    ],
  ])("of verify for %j is %i", async (found, exit) => {
    const result = { targets: [{ target: "shop", database: "d", entries: 9, ...found }] };
    expect((await runFake(["verify"], { verbs: { verify: finishedRun(result) } })).exit).toBe(exit);
  });

  it("of a defect is 1, with a plea to report it", async () => {
    const { exit, stderr } = await runFake(["up"]);
    expect(exit).toBe(1);
    expect(stderr).toContain("error[INTERNAL]");
    expect(stderr).toContain("--verbose");
  });

  it("of a command stopped by a signal is the signal's, whatever the abort looks like", async () => {
    const controller = new AbortController();
    controller.abort(interrupted("SIGTERM"));
    const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });
    const up = finishedRun<never>(aborted);
    expect((await runFake(["up"], { verbs: { up }, signal: controller.signal })).exit).toBe(143);
  });
});

describe("version", () => {
  it.each([["--version"], ["-V"]])("%s is the number alone", async (flag) => {
    const { exit, stdout } = await runFake([flag]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  it("is data too", async () => {
    const document: unknown = JSON.parse((await runFake(["version", "--json"])).stdout);
    expect(schemaOfDocument("version").safeParse(document).error).toBeUndefined();
  });
});
