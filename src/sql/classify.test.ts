import { describe, expect, it } from "vitest";
import { splitSql } from "./split.ts";
import type { Statement } from "./types.ts";

async function only(sql: string): Promise<Statement> {
  const { statements } = await splitSql(sql);
  expect(statements).toHaveLength(1);
  return statements[0]!;
}

describe("tag", () => {
  it.each([
    ["create table t ()", "CREATE TABLE"],
    ["create table t as select 1", "CREATE TABLE AS"],
    ["create materialized view v as select 1", "CREATE MATERIALIZED VIEW"],
    ["select 1 into t", "SELECT INTO"],
    ["values (1)", "SELECT"],
    ["alter table t add a int", "ALTER TABLE"],
    ["alter index i set (fillfactor = 70)", "ALTER INDEX"],
    ["alter view v rename column a to b", "ALTER VIEW"],
    ["alter table t rename to u", "ALTER TABLE"],
    ["alter table t rename constraint a to b", "ALTER TABLE"],
    ["alter type t rename attribute a to b", "ALTER TYPE"],
    ["alter materialized view v owner to me", "ALTER MATERIALIZED VIEW"],
    ["alter function f() stable", "ALTER FUNCTION"],
    ["alter procedure p() set schema s", "ALTER PROCEDURE"],
    ["alter operator class c using btree rename to d", "ALTER OPERATOR CLASS"],
    ["drop materialized view v", "DROP MATERIALIZED VIEW"],
    ["drop foreign data wrapper f", "DROP FOREIGN DATA WRAPPER"],
    ["drop text search dictionary d", "DROP TEXT SEARCH DICTIONARY"],
    ["drop statistics s", "DROP STATISTICS"],
    ["create procedure p() language sql as ''", "CREATE PROCEDURE"],
    ["create aggregate a (int) (sfunc = f, stype = int)", "CREATE AGGREGATE"],
    ["grant a to b", "GRANT ROLE"],
    ["revoke select on t from b", "REVOKE"],
    ["analyze t", "ANALYZE"],
    ["truncate t", "TRUNCATE TABLE"],
    ["lock t", "LOCK TABLE"],
    ["reset all", "RESET"],
    ["discard plans", "DISCARD PLANS"],
    ["close all", "CLOSE CURSOR ALL"],
    ["deallocate all", "DEALLOCATE ALL"],
    ["create domain d as int", "CREATE DOMAIN"],
    ["do ''", "DO"],
    ["call p()", "CALL"],
    ["with a as (select 1) delete from t", "DELETE"],
  ])("%s is %s", async (sql, tag) => {
    expect((await only(sql)).tag).toBe(tag);
  });
});

describe("transaction", () => {
  it("ends behind ALTER TYPE … ADD VALUE, but not behind a renamed one", async () => {
    expect(await only("alter type t add value if not exists 'a' before 'b'")).toMatchObject({
      transaction: "ends",
      transactionReason: expect.stringContaining("committed"),
    });
    expect(await only("alter type t rename value 'a' to 'b'")).toMatchObject({
      transaction: "inside",
      transactionReason: null,
    });
  });
  it("leaves to the catalog what depends on the relation's kind", async () => {
    const check = { kind: "partitioned-relation", schema: "S", name: "t" };
    for (const sql of [
      'reindex table "S".t',
      'reindex index "S".t',
      'cluster "S".t using i',
      'reindex (concurrently off) table "S".t',
    ]) {
      expect(await only(sql)).toMatchObject({ transaction: "inside", catalogCheck: check });
    }
    expect((await only("cluster t")).catalogCheck).toEqual({
      kind: "partitioned-relation",
      schema: null,
      name: "t",
    });
    expect((await only("reindex table concurrently t")).catalogCheck).toBeNull();
  });
  it("says why", async () => {
    expect((await only("vacuum t")).transactionReason).toBe("VACUUM cannot run inside a transaction block");
  });
});

describe("sessionEffect", () => {
  it.each([
    ["set a.b = 1", "set"],
    ["set session a.b = 1", "set"],
    ["set role x", "set"],
    ["set time zone 'UTC'", "set"],
    ["reset all", "set"],
    ["set session characteristics as transaction read only", "set"],
    ["select set_config('a', 'b', false)", "set"],
    ["select pg_catalog.set_config('a', 'b', x) from t", "set"],
    ["select 1 from (select set_config('a', 'b', false)) s", "set"],
    ["set local a.b = 1", null],
    ["set transaction read only", null],
    ["set constraints all deferred", null],
    ["select set_config('a', 'b', true)", null],
    ["alter role r set a.b = 1", null],
    ["create temp table t ()", "temporary"],
    ["create table pg_temp.t ()", "temporary"],
    ["create temporary table t as select 1", "temporary"],
    ["select 1 into temp t", "temporary"],
    ["create temp view v as select 1", "temporary"],
    ["create temp sequence s", "temporary"],
    ["create function pg_temp.f() returns int language sql as ''", "temporary"],
    ["create type pg_temp.t as enum ()", "temporary"],
    ["create temp table t () on commit drop", null],
    ["create temp table t on commit drop as select 1", null],
    ["create table t ()", null],
    ["prepare p as select 1", "prepare"],
    ["listen a", "prepare"],
    ["load 'a'", "prepare"],
    ["declare c cursor with hold for select 1", "prepare"],
    ["declare c cursor for select 1", null],
  ])("%s: %s", async (sql, effect) => {
    expect((await only(sql)).sessionEffect).toBe(effect);
  });
});

describe("commits", () => {
  it.each([
    "begin commit; end",
    "begin perform 1; rollback; end",
    "begin if a then commit and chain; else rollback and no chain; end if; end",
    "begin for i in 1..3 loop commit; end loop; end",
    "<<a>> begin <<b>> begin commit; end; end",
    "begin null; exception when others then rollback; end",
    "begin /* x */ COMMIT -- y\n; end",
  ])("sees it in: %s", async (body) => {
    expect((await only(`do $do$ ${body} $do$`)).commits).toBe(true);
    expect((await only(`do language plpgsql '${body}'`)).commits).toBe(true);
  });
  it.each([
    "begin execute 'commit;'; end",
    "begin execute $x$ begin; commit; $x$; end",
    "begin -- commit;\n null; /* rollback; */ end",
    "declare rollback int; begin rollback := 1; end",
    'begin perform 1 as "commit"; end',
    "begin insert into commit values (1); delete from rollback; end",
    "begin raise notice 'x; commit;'; end",
    "begin call p(); end",
  ])("is not fooled by: %s", async (body) => {
    expect((await only(`do $do$ ${body} $do$`)).commits).toBe(false);
  });
  it("knows nothing of other languages and other commands", async () => {
    expect((await only("do language plpython3u $$ begin; commit; $$")).commits).toBe(false);
    expect((await only("create procedure p() language plpgsql as 'begin commit; end'")).commits).toBe(false);
  });
});
