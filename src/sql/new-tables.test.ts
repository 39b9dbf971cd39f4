import { expect, it } from "vitest";
import { splitSql } from "./split.ts";

async function quickOnes(sql: string): Promise<boolean[]> {
  const { statements } = await splitSql(sql);
  return statements.map(({ quick }) => quick);
}

it.each([
  [
    "a table and what belongs to it",
    "create table t (id int); create index on t (id); comment on table t is 'x'",
    [true, true, true],
  ],
  ["in a schema", "create table s.t (id int); create index on s.t (id)", [true, true]],
  [
    "a foreign key of a new table",
    "create table t (id int); alter table t add foreign key (id) references o",
    [true, true],
  ],
  [
    "types, sequences and views",
    "create type e as enum ('a'); create sequence q; create view v as select 1",
    [true, true, true],
  ],
  ["an index on a table of before", "create index on t (id)", [false]],
  ["a table of another schema", "create table t (id int); create index on s.t (id)", [true, false]],
  [
    "a table that may be there already",
    "create table if not exists t (id int); create index on t (id)",
    [true, false],
  ],
  [
    "a partition, beside which the default one is read",
    "create table p partition of t for values in (1); create index on p (id)",
    [false, true],
  ],
  [
    "attaching a table of before",
    "create table t (id int) partition by list (id); alter table t attach partition p default",
    [true, false],
  ],
  ["CONCURRENTLY", "create table t (id int); create index concurrently on t (id)", [true, false]],
  ["a table made from rows", "create table t as select * from o", [false]],
  ["rows", "create table t (id int); insert into t select 1; do $$ begin end $$", [true, false, false]],
  ["settings", "set search_path = a; create table t (id int)", [false, true]],
] as const)("%s", async (_, sql, expected) => {
  expect(await quickOnes(sql)).toEqual(expected);
});
