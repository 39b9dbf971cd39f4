import { describe, expect, it } from "vitest";
import { exitStatusOf, type RunResult } from "../../../src/index.ts";
import { eventsOf, failureOf, hasHistory, statesOf, tablesOf } from "../../support/project.ts";
import { streamProject } from "../../support/streams.ts";

const table = (name: string, head = ""): string =>
  `${head}-- migrate:up\nCREATE TABLE ${name} (id int);\n-- migrate:down\nDROP TABLE ${name};\n`;
const requires = (...ids: string[]): string => `-- godwit:requires ${ids.join(" ")}\n`;

/** Ids in the order in which they began, with their streams. */
async function orderOf(run: Parameters<typeof eventsOf>[0]): Promise<string[]> {
  return (await eventsOf(run, "migration.started")).map(({ target, id }) => `${target}/${id}`);
}

const interleaved = {
  a: { files: { "1_a.sql": table("a1"), "2_a.sql": table("a2", requires("1_a", "b/1_b")) } },
  b: { files: { "1_b.sql": table("b1", requires("a/1_a")) }, database: "other" },
};

/** `a` fails; `b` goes after it, `c` requires of `b`, `d` goes after `c`, and `e` has nothing to do with them. */
const failing = {
  a: { files: { "1_a.sql": table("a1"), "2_a.sql": "SELECT 1/0;" } },
  b: { files: { "1_b.sql": table("b1") }, after: ["a"] },
  c: { files: { "1_c.sql": table("c1"), "2_c.sql": table("c2", requires("1_c", "b/1_b")) } },
  d: { files: { "1_d.sql": table("d1") }, after: ["c"] },
  e: { files: { "1_e.sql": table("e1"), "v.repeatable.sql": "CREATE VIEW ev AS SELECT 1;" } },
};

describe("several streams", () => {
  it("go one behind the other as `after` says, each with a history of its own", async () => {
    const { godwit, database } = await streamProject({
      a: { files: { "1_x.sql": table("a1") }, after: ["b"] },
      b: { files: { "1_x.sql": table("b1"), "2_y.sql": table("b2") }, after: ["c"] },
      c: { files: { "1_x.sql": table("c1") } },
    });
    const run = godwit.up();
    expect((await run).targets.map(({ target, migrations }) => [target, migrations.length])).toEqual([
      ["c", 1],
      ["b", 2],
      ["a", 1],
    ]);
    expect(await orderOf(run)).toEqual(["c/1_x", "b/1_x", "b/2_y", "a/1_x"]);
    expect(await database.query("SELECT stream, id FROM godwit.migrations ORDER BY 1, 2")).toHaveLength(4);
    expect((await godwit.verify()).targets.map(({ brokenAt }) => brokenAt)).toEqual([null, null, null]);
    expect((await godwit.up()).total).toBe(0);
  });

  it("take turns where they require each other back and forth", async () => {
    const { godwit, databases } = await streamProject(interleaved);
    const { plans } = await godwit.plan();
    expect(plans.flatMap(({ target, migrations }) => migrations.map(({ id }) => `${target}/${id}`))).toEqual([
      "a/1_a",
      "b/1_b",
      "a/2_a",
    ]);
    const run = godwit.up();
    expect((await run).total).toBe(3);
    expect(await orderOf(run)).toEqual(["a/1_a", "b/1_b", "a/2_a"]);
    expect(await tablesOf(databases.get("main")!)).toEqual(["a1", "a2"]);
    expect(await tablesOf(databases.get("other")!)).toEqual(["b1"]);
    expect(
      (await godwit.graph()).nodes.map(({ stream, id, requires: named }) => [`${stream}/${id}`, named]),
    ).toEqual([
      ["a/1_a", []],
      ["b/1_b", ["a/1_a"]],
      ["a/2_a", ["1_a", "b/1_b"]],
    ]);
  });

  it("run a stream's repeatables behind the last of its turns", async () => {
    const { godwit } = await streamProject({
      a: { files: { ...interleaved.a.files, "v.repeatable.sql": "CREATE VIEW v AS SELECT * FROM a2;" } },
      b: interleaved.b,
    });
    const run = godwit.up();
    await run;
    expect(await orderOf(run)).toEqual(["a/1_a", "b/1_b", "a/2_a", "a/v"]);
  });

  it("may be chosen", async () => {
    const { godwit, database } = await streamProject(failing);
    const result = await godwit.up({ streams: ["e"] });
    expect(result.targets.map(({ target }) => target)).toEqual(["e"]);
    expect(await tablesOf(database)).toEqual(["e1", "ev"]);
    await failureOf(godwit.up({ streams: ["e", "x"] }), "STREAM_UNKNOWN");
  });

  it("are told apart where an id is asked for", async () => {
    const { godwit, databases } = await streamProject(interleaved);
    for (const refused of [
      godwit.up({ to: "1_a" }),
      godwit.plan({ to: "1_a" }),
      godwit.down(),
      godwit.down({ to: "1_a" }),
      godwit.redo(),
      godwit.baseline({ id: "1_a" }),
      godwit.repair({ action: "forget", reason: "x" }),
      godwit.wait({ for: ["1_a"] }),
    ]) {
      const error = await failureOf(refused, "USAGE");
      expect(error.hint).toMatch(/--stream a or --stream b|a\/1_a or b\/1_a/);
    }
    expect(await hasHistory(databases.get("main")!)).toBe(false);
    expect((await godwit.up({ to: "1_a", streams: ["a"] })).total).toBe(1);
    await failureOf(godwit.wait({ for: ["a/1_a", "b/1_b"], timeoutMs: 0 }), "PENDING");
    expect((await godwit.wait({ for: ["a/1_a"], timeoutMs: 0 })).reached).toBe(true);
  });
});

describe("what one stream requires of another", () => {
  it("is refused before anything runs where it is not applied and takes no part", async () => {
    const { godwit, databases } = await streamProject({
      ...interleaved,
      z: { files: { "1_z.sql": table("z1") } },
    });
    for (const verb of ["plan", "up"] as const) {
      const error = await failureOf(godwit[verb]({ streams: ["z", "b"] }), "GRAPH_UNMET_REQUIREMENT");
      expect(error.message).toContain("b/1_b requires a/1_a");
      expect(error.hint).toContain("godwit up --stream a --to 1_a");
    }
    expect(await hasHistory(databases.get("main")!)).toBe(false);
    await godwit.up({ streams: ["a"], to: "1_a" });
    expect((await godwit.up({ streams: ["z", "b"] })).total).toBe(2);
  });

  it("is refused where a selection leaves it out", async () => {
    const { godwit, databases } = await streamProject({
      a: { files: { "1_a.sql": table("a1"), "2_a.sql": table("a2") } },
      b: { files: { "1_b.sql": table("b1", requires("a/2_a")) } },
    });
    await failureOf(godwit.up({ steps: 1 }), "GRAPH_UNMET_REQUIREMENT");
    expect(await hasHistory(databases.get("main")!)).toBe(false);
  });

  it("must exist, and must not go round in a circle", async () => {
    const { godwit, write } = await streamProject({
      a: { files: { "1_a.sql": table("a1", requires("b/1_b")) } },
      b: { files: { "1_b.sql": table("b1", requires("a/1_a")) } },
    });
    const circle = await failureOf(godwit.up(), "GRAPH_CYCLE");
    expect(circle.message).toMatch(/a\/1_a.*b\/1_b|b\/1_b.*a\/1_a/s);
    await write("b", { "1_b.sql": table("b1", requires("a/1_aa")) });
    const unknown = await failureOf(godwit.up(), "GRAPH_UNKNOWN_REQUIREMENT");
    expect(unknown.hint).toContain("1_a");
    await write("b", { "1_b.sql": table("b1", requires("aa/1_a")) });
    await failureOf(godwit.up(), "GRAPH_UNKNOWN_REQUIREMENT");
  });

  it("is not taken back while it is required, neither by plan nor by down nor by redo", async () => {
    const { godwit, databases } = await streamProject(interleaved);
    await godwit.up();
    const refused = await failureOf(godwit.down({ streams: ["b"] }), "GRAPH_UNMET_REQUIREMENT");
    expect(refused.message).toContain("a/2_a");
    expect(refused.hint).toContain("godwit down --stream a");
    await failureOf(godwit.plan({ direction: "down", streams: ["b"] }), "GRAPH_UNMET_REQUIREMENT");
    await failureOf(godwit.redo({ streams: ["b"] }), "GRAPH_UNMET_REQUIREMENT");
    expect(await tablesOf(databases.get("other")!)).toEqual(["b1"]);
    await godwit.down({ streams: ["a"] });
    expect((await godwit.down({ streams: ["b"] })).total).toBe(1);
  });
});

describe("down --all over several streams", () => {
  it("goes the way of up backwards, streams that take turns among them", async () => {
    const { godwit, databases } = await streamProject({
      ...interleaved,
      c: { files: { "1_c.sql": table("c1") }, after: ["a", "b"] },
    });
    await godwit.up();
    const { plans } = await godwit.plan({ direction: "down", all: true });
    const planned = plans.flatMap(({ target, migrations }) => migrations.map(({ id }) => `${target}/${id}`));
    expect(planned).toEqual(["c/1_c", "a/2_a", "b/1_b", "a/1_a"]);
    const run = godwit.down({ all: true });
    const result = await run;
    expect(result.total).toBe(4);
    expect(await orderOf(run)).toEqual(planned);
    expect(result.targets.map(({ target }) => target)).toHaveLength(3);
    for (const database of databases.values()) expect(await tablesOf(database)).toEqual([]);
    expect((await godwit.up()).total).toBe(4);
  });

  it("runs nothing anywhere where one of them has something irreversible", async () => {
    const { godwit, database } = await streamProject({
      a: { files: { "1_a.sql": "CREATE TABLE a1 (id int);" } },
      b: { files: { "1_b.sql": table("b1") } },
    });
    await godwit.up();
    await failureOf(godwit.down({ all: true }), "IRREVERSIBLE");
    expect(await tablesOf(database)).toEqual(["a1", "b1"]);
  });

  it("refuses what a stream that stays requires", async () => {
    const { godwit, databases } = await streamProject(interleaved);
    await godwit.up();
    await failureOf(godwit.down({ all: true, streams: ["b"] }), "GRAPH_UNMET_REQUIREMENT");
    await failureOf(godwit.down({ all: true, streams: ["a"] }), "GRAPH_UNMET_REQUIREMENT");
    expect(await tablesOf(databases.get("main")!)).toEqual(["a1", "a2"]);
  });

  it("stops at the first failure and says what was not begun", async () => {
    const { godwit, database } = await streamProject({
      a: { files: { "1_a.sql": table("a1") } },
      b: { files: { "1_b.sql": table("b1").replace("DROP TABLE b1", "SELECT 1/0") } },
    });
    await godwit.up();
    const error = await failureOf(godwit.down({ all: true }), "PARTIAL_FAILURE");
    expect((error.result as RunResult).targets).toMatchObject([
      { target: "b", error: { code: "MIGRATION_FAILED" }, skipped: null },
      { target: "a", error: null, skipped: expect.stringContaining("b") },
    ]);
    expect(await tablesOf(database)).toEqual(["a1", "b1"]);
  });
});

describe("a stream that fails", () => {
  it("stops what depends on it, and the rest goes on", async () => {
    const { godwit, database } = await streamProject(failing);
    const run = godwit.up();
    const error = await failureOf(run, "PARTIAL_FAILURE");
    expect(exitStatusOf(error.code)).toBe(7);
    const { targets, total } = error.result as RunResult;
    expect(
      targets.map(({ target, migrations, error: own, skipped }) => [
        target,
        migrations.map(({ id }) => id),
        own?.code ?? null,
        skipped,
      ]),
    ).toEqual([
      ["a", ["1_a"], "MIGRATION_FAILED", null],
      ["b", [], null, expect.stringContaining("a goes first")],
      ["c", ["1_c"], null, expect.stringContaining("b/1_b")],
      ["d", [], null, expect.stringContaining("c goes first")],
      ["e", ["1_e", "v"], null, null],
    ]);
    expect(total).toBe(4);
    expect(error.problems.map(({ code }) => code)).toEqual(["MIGRATION_FAILED"]);
    expect(error.message).toContain("b, c, d");
    expect(await tablesOf(database)).toEqual(["a1", "c1", "e1", "ev"]);
    expect((await eventsOf(run, "target.finished")).map(({ target }) => target)).toEqual([
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
  });

  it("goes on, and what depends on it does, once it is mended", async () => {
    const { godwit, write } = await streamProject(failing);
    await failureOf(godwit.up(), "PARTIAL_FAILURE");
    await write("a", { "2_a.sql": table("a2") });
    const run = godwit.up();
    await run;
    expect(await orderOf(run)).toEqual(["a/2_a", "b/1_b", "c/2_c", "d/1_d"]);
    expect((await statesOf(godwit)).every((line) => line.endsWith(": applied"))).toBe(true);
  });

  it("ends with its own error where it was chosen alone", async () => {
    const { godwit } = await streamProject(failing);
    const error = await failureOf(godwit.up({ streams: ["a"] }), "MIGRATION_FAILED");
    expect(error.sqlstate).toBe("22012");
  });

  it("half-way stops its own later turns and what waits for them", async () => {
    const { godwit, databases } = await streamProject({
      a: { files: { "1_a.sql": table("a1"), "2_a.sql": table("a2", requires("1_a", "b/1_b")) } },
      b: {
        files: { "1_b.sql": `${requires("a/1_a")}SELECT 1/0;`, "2_b.sql": table("b2", requires("a/2_a")) },
      },
    });
    const error = await failureOf(godwit.up(), "PARTIAL_FAILURE");
    expect((error.result as RunResult).targets).toMatchObject([
      { target: "a", skipped: expect.stringContaining("b/1_b") },
      { target: "b", error: { code: "MIGRATION_FAILED" } },
    ]);
    expect(await tablesOf(databases.get("main")!)).toEqual(["a1"]);
  });
});

describe("checks before anything runs", () => {
  it.each([
    ["malformed", "CREATE TABEL x;", "MIGRATION_MALFORMED"],
    ["of an unknown requirement", `${requires("9_z")}SELECT 1;`, "GRAPH_UNKNOWN_REQUIREMENT"],
  ] as const)("concern all streams: one file %s stops all of them", async (_, text, code) => {
    const { godwit, database } = await streamProject({
      a: { files: { "1_a.sql": table("a1") } },
      b: { files: { "1_b.sql": table("b1"), "2_b.sql": text } },
    });
    await failureOf(godwit.up(), code);
    expect(await hasHistory(database)).toBe(false);
  });

  it("tell the malformed files of all streams in one go", async () => {
    const { godwit } = await streamProject({
      a: { files: { "1_a.sql": "CREATE TABEL a;" } },
      b: { files: { "1_b.sql": "CREATE TABEL b;" } },
    });
    expect((await failureOf(godwit.up(), "MIGRATION_MALFORMED")).problems).toHaveLength(2);
  });

  it("stop all streams for an edited file of one", async () => {
    const { godwit, write, database } = await streamProject({
      a: { files: { "1_a.sql": table("a1") } },
      b: { files: { "1_b.sql": table("b1") } },
    });
    await godwit.up();
    await write("b", { "1_b.sql": table("bb") });
    await write("a", { "2_a.sql": table("a2") });
    await failureOf(godwit.up(), "CHECKSUM_MISMATCH");
    expect(await tablesOf(database)).toEqual(["a1", "b1"]);
    expect((await godwit.status()).targets.map(({ target, code }) => [target, code])).toEqual([
      ["a", "PENDING"],
      ["b", "CHECKSUM_MISMATCH"],
    ]);
    const { remaining } = await godwit.repair();
    expect(remaining[0]?.choices[1]?.command).toBe(
      'godwit repair accept-checksum 1_b --stream b --reason "…"',
    );
  });
});

describe("what failed before", () => {
  it("is tried first by the next up, behind what it requires of other streams", async () => {
    const { godwit, write } = await streamProject({
      a: { files: { "1_a.sql": table("a1"), "5_a.sql": `${requires("1_a")}SELECT 1/0;` } },
      b: { files: { "0_b.sql": table("b0"), "1_b.sql": table("b1", requires("0_b")) }, after: ["c"] },
      c: { files: { "1_c.sql": table("c1") } },
    });
    await failureOf(godwit.up(), "PARTIAL_FAILURE");
    await write("a", {
      "2_a.sql": table("a2", requires("1_a")),
      "5_a.sql": table("a5", requires("1_a", "b/3_b")),
    });
    await write("b", { "2_b.sql": table("b2", requires("0_b")), "3_b.sql": table("b3", requires("1_b")) });
    await write("c", { "2_c.sql": table("c2") });
    const planned = (await godwit.plan()).plans.flatMap(({ target, migrations }) =>
      migrations.map(({ id }) => `${target}/${id}`),
    );
    const run = godwit.up();
    await run;
    expect(await orderOf(run)).toEqual(["c/2_c", "b/3_b", "a/5_a", "a/2_a", "b/2_b"]);
    expect(planned).toEqual(await orderOf(run));
  });

  it("waits for the streams that go before its own", async () => {
    const { godwit, write } = await streamProject({
      a: { files: { "1_a.sql": table("a1") } },
      b: { files: { "1_b.sql": "SELECT 1/0;" }, after: ["a"] },
    });
    await failureOf(godwit.up(), "PARTIAL_FAILURE");
    await write("a", { "2_a.sql": table("a2") });
    await write("b", { "1_b.sql": table("b1") });
    const run = godwit.up();
    await run;
    expect(await orderOf(run)).toEqual(["a/2_a", "b/1_b"]);
  });
});
