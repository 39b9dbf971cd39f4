import { describe, expect, it } from "vitest";
import { splitSql } from "./split.ts";

/** Statements as `line:column sql`, problems as `line:column message`. */
async function split(text: string, position?: { line: number; column: number }) {
  const { statements, problems } = await splitSql(text, position);
  return {
    statements: statements.map(({ line, column, sql }) => `${line}:${column} ${sql}`),
    problems: problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
    hints: problems.map(({ hint }) => hint),
  };
}

describe("splitSql: statements", () => {
  it.each([
    ["nothing", "", []],
    ["white space and comments", " \n-- a\n/* b */", []],
    ["empty statements", ";;\n;", []],
    ["empty statements between", "select 1;;;select 2", ["1:1 select 1", "1:12 select 2"]],
    ["a last one without semicolon", "select 1;\nselect 2", ["1:1 select 1", "2:1 select 2"]],
    [
      "comments before and behind",
      "/* a */ -- b\n select 1 -- c\n; -- d\nselect 2 /* e */\n-- f",
      ["2:2 select 1", "4:1 select 2"],
    ],
    ["a comment inside", "select 1 /* a */ + -- b\n 2;", ["1:1 select 1 /* a */ + -- b\n 2"]],
    ["nested comments", "/* /* ; */ ; */ select 1;", ["1:17 select 1"]],
    [
      "semicolons in strings and names",
      `select ';' as ";"; select 2`,
      [`1:1 select ';' as ";"`, "1:20 select 2"],
    ],
    ["escape strings", "select E'\\';'; select 2", ["1:1 select E'\\';'", "1:16 select 2"]],
    ["backslashes in plain strings", "select '\\'; select 2", ["1:1 select '\\'", "1:13 select 2"]],
    [
      "dollar quotes",
      "do $a$ begin; $$ ' $$ ; end $a$; select 2",
      ["1:1 do $a$ begin; $$ ' $$ ; end $a$", "1:34 select 2"],
    ],
    [
      "a body of BEGIN ATOMIC",
      "create function f() returns int begin atomic select 1; select case when true then 2 end; end; select 3",
      [
        "1:1 create function f() returns int begin atomic select 1; select case when true then 2 end; end",
        "1:95 select 3",
      ],
    ],
    [
      "the actions of a rule",
      "create rule r as on insert to t do also (select 1; select 2); select 3",
      ["1:1 create rule r as on insert to t do also (select 1; select 2)", "1:63 select 3"],
    ],
    [
      "multi-byte characters before and inside",
      "-- é😀\nselect 'é😀', '日本'; select 'ü'",
      ["2:1 select 'é😀', '日本'", "2:20 select 'ü'"],
    ],
    [
      "Windows line ends",
      "-- a\r\nselect\r\n  1;\r\n\r\nselect 2\r\n",
      ["2:1 select\r\n  1", "5:1 select 2"],
    ],
    ["a byte order mark", "\ufeffselect 'é'; select 2", ["1:1 select 'é'", "1:13 select 2"]],
  ])("%s", async (_what, text, expected) => {
    expect(await split(text)).toEqual({ statements: expected, problems: [], hints: [] });
  });
  it("counts from where the section begins", async () => {
    const { statements } = await split("select 1;\n  select 2;", { line: 10, column: 5 });
    expect(statements).toEqual(["10:5 select 1", "11:3 select 2"]);
  });
  it("freezes what it gives, and numbers it", async () => {
    const result = await splitSql("-- godwit:allow x y\nselect 1; select 2");
    expect(result.statements.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    for (const part of [result, result.statements, result.statements[0], result.statements[0]!.directives]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
  it("takes a megabyte of DDL in time that grows with its size alone", async () => {
    const table =
      "-- é\nCREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'x', CHECK (id > 0)); ";
    const before = process.cpuUsage();
    const { statements } = await splitSql(table.repeat(11_000));
    expect(statements).toHaveLength(11_000);
    // Work and not time, since others may keep the processors busy; a quadratic walk takes minutes of either.
    const { system, user } = process.cpuUsage(before);
    expect((system + user) / 1000).toBeLessThan(6000);
  });
});

describe("splitSql: directives", () => {
  it("takes those right above a statement, through other comments", async () => {
    const { statements } = await splitSql(
      "-- godwit:allow data-loss  old table \n/* why */\n  --godwit:check\n-- note\n\nselect 1;\n-- godwit:backfill x\nselect 2",
    );
    expect(statements.map(({ directives }) => directives)).toEqual([
      [
        { name: "allow", argument: "data-loss  old table", line: 1, column: 1 },
        { name: "check", argument: "", line: 3, column: 3 },
      ],
      [{ name: "backfill", argument: "x", line: 7, column: 1 }],
    ]);
  });
  it.each([
    ["in a string", "select '\n-- godwit:allow a b\n';"],
    ["in a dollar quote", "do $$\n-- godwit:allow a b\nbegin end $$;"],
    ["in a block comment", "/*\n-- godwit:allow a b\n*/ select 1;"],
    ["inside a statement", "select\n-- godwit:allow a b\n1;"],
    ["behind a statement", "select 1; -- godwit:allow a b\nselect 2;"],
    ["above an empty statement", "-- godwit:allow a b\n; select 1;"],
  ])("takes none %s", async (_what, text) => {
    const { statements } = await splitSql(text);
    expect(statements.flatMap(({ directives }) => directives)).toEqual([]);
  });
  it("keeps them with a statement that is wrong", async () => {
    const { statements } = await splitSql("-- godwit:allow a b\nselec;");
    expect(statements.map(({ tag, directives }) => [tag, directives.length])).toEqual([["UNKNOWN", 1]]);
  });
});

describe("splitSql: problems", () => {
  it("names the exact place of a syntax error", async () => {
    expect((await split("select 1;\r\n/* é😀 */ select 'é😀' frm x y;")).problems).toEqual([
      '2:26 syntax error at or near "x"',
    ]);
    expect((await split("select (1 +  \n\n-- end\n")).problems).toEqual([
      "1:12 syntax error at end of input",
    ]);
    expect((await split("select 'a", { line: 5, column: 3 })).problems).toEqual([
      `5:10 unterminated quoted string at or near "'a"`,
    ]);
  });
  it("finds all of them in one go, each once", async () => {
    const text = [
      "\\i other.sql",
      "begin;",
      "copy t (a, b) from stdin;",
      "1\tit's -- /* $$",
      "\\.",
      "selec 1;",
      "select :'name';",
      "insert into t values (1;",
      "select 2 \\gset",
      "commit;",
      "savepoint a; release a; rollback to a; rollback; end; abort; start transaction;",
      "prepare transaction 'x';",
      "discard all",
    ].join("\n");
    const { problems, hints } = await split(text);
    expect(problems).toEqual([
      "1:1 \\i is a command of psql, not SQL",
      "2:1 BEGIN: Godwit itself makes the transaction of a migration",
      "3:1 COPY … FROM stdin reads its rows from a client, and a migration has none",
      '6:1 syntax error at or near "selec"',
      '7:8 syntax error at or near ":"',
      '8:24 syntax error at or near ";"',
      "9:10 \\gset is a command of psql, not SQL",
      "10:1 COMMIT: Godwit itself makes the transaction of a migration",
      "11:1 SAVEPOINT: Godwit itself makes the transaction of a migration, and keeps no savepoints",
      "11:14 RELEASE: Godwit itself makes the transaction of a migration, and keeps no savepoints",
      "11:25 ROLLBACK TO: Godwit itself makes the transaction of a migration, and keeps no savepoints",
      "11:40 ROLLBACK: Godwit itself makes the transaction of a migration",
      "11:50 COMMIT: Godwit itself makes the transaction of a migration",
      "11:55 ROLLBACK: Godwit itself makes the transaction of a migration",
      "11:62 START TRANSACTION: Godwit itself makes the transaction of a migration",
      "12:1 PREPARE TRANSACTION is no part of a migration",
      "13:1 DISCARD ALL would release the lock that keeps other runs out",
    ]);
    expect(hints[0]).toContain("requires");
    expect(hints[1]).toContain("-- godwit:transaction off");
    expect(hints[2]).toContain("INSERT");
    expect(hints[4]).toContain("psql's variables");
  });
  it("takes what psql's words mean elsewhere", async () => {
    const text =
      "copy t from '/tmp/x'; copy t from program 'x'; copy t to stdout; select '\\i', $$\n\\connect x\n$$, a[1:2], b::text; set local a = 1";
    expect((await split(text)).problems).toEqual([]);
  });
  it("looks no further for syntax where COPY data has no end", async () => {
    expect((await split("copy t from stdin;\n1\tx\n2\ty\n")).problems).toEqual([
      "1:1 COPY … FROM stdin reads its rows from a client, and a migration has none",
    ]);
  });
  it("refuses NUL, once, and reads on", async () => {
    const { problems } = await split("select '\0\0';\nbegin;");
    expect(problems.map((problem) => problem.slice(0, 19))).toEqual([
      "1:9 the text has a ",
      "2:1 BEGIN: Godwit i",
    ]);
  });
  it.each([
    ["a comment without end", "/* a /* b */", "1:1 unterminated /* comment"],
    ["one behind statements", "select 1; /* a", "1:11 unterminated /* comment"],
    ["a dollar quote without end", "select 1; do $a$ begin", "1:14 unterminated dollar-quoted string"],
    [
      "nesting beyond the parser's stack",
      `select ${"(".repeat(20_000)}`,
      "1:10004 the statement nests too deeply",
    ],
    [
      "nesting beyond JavaScript's stack",
      `select 1;\nselect 1${"+1".repeat(60_000)}; select 2`,
      "2:1 the statement nests too deeply",
    ],
  ])("reports %s", async (_what, text, problem) => {
    const { problems } = await split(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
  it("gives hints for slips of typing", async () => {
    expect((await split("select 'it\\'s', 'x';")).hints[0]).toContain("double the quote");
    expect((await split("select 1\u00a0, 2")).hints[0]).toContain("U+00A0");
  });
});
