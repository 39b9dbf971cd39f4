import { describe, expect, it } from "vitest";
import { faults, parse } from "./testing/one-file.ts";

describe("directives of the file", () => {
  it("reads them above and below the up marker", async () => {
    const migration = await parse(
      [
        "-- godwit:requires a, b shared/c",
        '--godwit:requires "d e"',
        "-- godwit:description All  the users",
        "-- migrate:up",
        "-- godwit:lock_timeout 2s",
        "-- godwit:statement_timeout 1min",
        "CREATE TABLE a ();",
        "-- migrate:down",
        "DROP TABLE a;",
      ].join("\n"),
    );
    expect(migration.requires!.map(({ stream, id }) => `${stream}/${id}`)).toEqual([
      "app/a",
      "app/b",
      "shared/c",
      "app/d e",
    ]);
    expect(migration.requires![3]!.location).toMatchObject({ line: 2, column: 1 });
    expect(migration).toMatchObject({
      description: "All  the users",
      lockTimeoutMs: 2000,
      statementTimeoutMs: 60_000,
    });
    expect(migration.up.statements[0]!.directives).toEqual([]);
  });

  it("takes a reason for having no way back", async () => {
    const migration = await parse("-- godwit:irreversible the old values are not kept\nSELECT 1;");
    expect(migration).toMatchObject({ irreversible: "the old values are not kept", down: null });
  });

  it.each([
    ["-- godwit:require a", "unknown directive `godwit:require` | did you mean `requires`?"],
    [
      "-- godwit:frobnicate",
      expect.stringContaining("unknown directive `godwit:frobnicate` | directives: requires, "),
    ],
    [
      "-- godwit: requires a",
      "`godwit:requires` is not written as a directive | did you mean `-- godwit:requires a`?",
    ],
    [
      "-- Godwit:Lock-Timeout 2s",
      "`godwit:Lock-Timeout` is not written as a directive | did you mean `-- godwit:lock_timeout 2s`?",
    ],
    ["-- godwit:", expect.stringContaining("a directive without a name")],
    [
      "-- godwit:requires",
      "`godwit:requires` names nothing | name at least one id, or delete the line: without it every earlier id is required",
    ],
    ["-- godwit:requires a/b/c", expect.stringContaining("`godwit:requires`: a/b/c is not an id")],
    ["-- godwit:requires a -- the table", expect.stringContaining("`godwit:requires`: -- is not an id")],
    [
      "-- godwit:transaction on",
      "`godwit:transaction on`: only `off` can be said | delete it: a transaction is the default",
    ],
    [
      "-- godwit:transaction",
      expect.stringContaining("only `off` can be said | write `-- godwit:transaction off`"),
    ],
    ["-- godwit:irreversible", expect.stringContaining("does not say why")],
    [
      "-- godwit:lock_timeout 2",
      'lock_timeout: "2" is not a duration | write a number and a unit: 500ms, 2s, 5min, 1h',
    ],
    ["-- godwit:statement_timeout 25d", expect.stringContaining("is longer than PostgreSQL takes")],
    [
      "-- godwit:tolerate",
      "`godwit:tolerate`: only `existing` can be tolerated | write `-- godwit:tolerate existing`",
    ],
    [
      "-- godwit:tolerate everything",
      "`godwit:tolerate everything`: only `existing` can be tolerated | write `-- godwit:tolerate existing`",
    ],
    ["-- godwit:description", expect.stringContaining("is empty")],
  ])("refuses %j", async (line, problem: string) => {
    const found = await faults(`${line}\nSELECT 1;`);
    expect(found.map((fault) => fault.replace(/^1:1 /, ""))).toEqual([problem]);
  });

  it("refuses one given twice, behind the first statement, and in the down section", async () => {
    expect(
      await faults(
        "-- godwit:lock_timeout 2s\n-- godwit:lock_timeout 3s\n-- migrate:up\nSELECT 1;\n-- godwit:requires a\nSELECT 2;\n-- migrate:down\n-- godwit:transaction off\nSELECT 3;",
      ),
    ).toEqual([
      "2:1 `godwit:lock_timeout` is given twice | delete one of them",
      "5:1 `godwit:requires` speaks of the whole file but stands behind its first statement | move it to the top of the file",
      "8:1 `godwit:transaction` speaks of the whole file but stands behind its first statement | move it to the top of the file, or write `-- migrate:down transaction:false` for the way back",
    ]);
  });

  it("refuses irreversible beside a way down", async () => {
    expect(
      await faults("-- godwit:irreversible no\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;"),
    ).toEqual([
      "1:1 it is called irreversible but has a way down | delete `-- godwit:irreversible`, or the down section",
    ]);
  });
});

describe("directives of a statement", () => {
  it("belong to the statement right below them", async () => {
    const migration = await parse(
      "-- godwit:description x\n-- migrate:up\n-- godwit:allow table-rewrite small table\nALTER TABLE a ALTER b TYPE int;\n-- godwit:check something\nSELECT 1;",
    );
    expect(migration.up.statements.map(({ directives }) => directives)).toEqual([
      [{ name: "allow", argument: "table-rewrite small table", line: 3, column: 1 }],
      [{ name: "check", argument: "something", line: 5, column: 1 }],
    ]);
  });

  it.each([
    [
      "-- godwit:allow\nSELECT 1;",
      "1:1 `godwit:allow` names no hazard | write `-- godwit:allow <hazard> <why>`, for example `table-rewrite`",
    ],
    [
      "-- godwit:allow data-loss\nSELECT 1;",
      "1:1 `godwit:allow data-loss` does not say why | write `-- godwit:allow data-loss <why>`",
    ],
    [
      "-- godwit:backfill\nSELECT 1;",
      "1:1 `godwit:backfill` says nothing | write what to backfill behind it",
    ],
    [
      "SELECT 1;\n-- godwit:check x\n",
      "2:1 `godwit:check` does not stand above a statement | put it on a line of its own, right above the statement it speaks of",
    ],
    [
      "SELECT 1; -- godwit:check x\n",
      "1:11 `-- godwit:check` shares its line with SQL | put it on a line of its own, right above the statement",
    ],
    [
      "SELECT\n-- godwit:check x\n1;",
      "2:1 `godwit:check` does not stand above a statement | put it on a line of its own, right above the statement it speaks of",
    ],
    [
      "-- godwit:allow data-loss why\n-- migrate:up\nSELECT 1;",
      "1:1 `godwit:allow` does not stand above a statement | put it on a line of its own, right above the statement it speaks of",
    ],
  ])("are refused in %j", async (text, problem) => {
    expect(await faults(text)).toEqual([problem]);
  });
});
