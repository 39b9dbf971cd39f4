import { expect, it } from "vitest";
import { splitSql } from "./split.ts";
import { standAloneActOf } from "./stand-alone-act.ts";

it.each([
  [
    "create index concurrently i on s.t (a)",
    { kind: "create index", table: { schema: "s", name: "t" }, name: "i" },
  ],
  [
    'create unique index concurrently if not exists "I" on t (a)',
    { kind: "create index", table: { schema: null, name: "t" }, name: "I" },
  ],
  [
    "create index concurrently on t (a)",
    { kind: "create index", table: { schema: null, name: "t" }, name: null },
  ],
  ["drop index concurrently if exists d.s.i", { kind: "drop index", index: { schema: "s", name: "i" } }],
  [
    "reindex (concurrently, verbose) table s.t",
    { kind: "reindex", scope: "table", object: { schema: "s", name: "t" } },
  ],
  ["reindex index concurrently i", { kind: "reindex", scope: "index", object: { schema: null, name: "i" } }],
  [
    "reindex schema concurrently s",
    { kind: "reindex", scope: "schema", object: { schema: null, name: "s" } },
  ],
  ["reindex database concurrently d", { kind: "reindex", scope: "database", object: null }],
  ["reindex schema s", { kind: "again", tag: "REINDEX" }],
  [
    "alter table s.p detach partition q concurrently",
    { kind: "detach", parent: { schema: "s", name: "p" }, partition: { schema: null, name: "q" } },
  ],
  ["alter table p detach partition q", null],
  ["create database d", { kind: "create", type: "database", name: "d" }],
  ["drop database if exists d (force)", { kind: "drop", type: "database", name: "d" }],
  ["create tablespace ts location '/x'", { kind: "create", type: "tablespace", name: "ts" }],
  ["drop tablespace ts", { kind: "drop", type: "tablespace", name: "ts" }],
  ["create subscription s connection '' publication p", { kind: "create", type: "subscription", name: "s" }],
  ["drop subscription s", { kind: "drop", type: "subscription", name: "s" }],
  [
    "alter subscription s add publication p, q",
    { kind: "publications", action: "add", subscription: "s", names: ["p", "q"] },
  ],
  [
    "alter subscription s drop publication p",
    { kind: "publications", action: "drop", subscription: "s", names: ["p"] },
  ],
  ["alter subscription s set publication p", { kind: "again", tag: "ALTER SUBSCRIPTION" }],
  ["alter subscription s refresh publication", { kind: "again", tag: "ALTER SUBSCRIPTION" }],
  ["alter database d set tablespace x", { kind: "again", tag: "ALTER DATABASE" }],
  ["alter system set work_mem = '1MB'", { kind: "again", tag: "ALTER SYSTEM" }],
  ["vacuum", { kind: "again", tag: "VACUUM" }],
  ["cluster", { kind: "again", tag: "CLUSTER" }],
  ["create index i on t (a)", null],
  ["call p()", null],
  ["do $$ begin end $$", null],
])("%s: %j", async (sql, expected) => {
  const { statements } = await splitSql(sql);
  expect(await standAloneActOf(sql, statements[0]!.tag)).toEqual(expected);
});
