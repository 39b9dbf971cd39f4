import { expect, it } from "vitest";
import { keptOutNoteOf, keptOutSql } from "./kept-out-note.ts";

const note = { migration: "2_b", mode: "AccessExclusiveLock", relation: "public.accounts", pids: [31449, 0] };

it("is read as it was written", () => {
  expect(keptOutSql(note)).toBe(
    "/* godwit: 2_b stays out of the queue for AccessExclusiveLock on public.accounts, held by backend 31449, a prepared transaction */ SELECT",
  );
  expect(keptOutNoteOf(keptOutSql(note))).toEqual(note);
  expect(keptOutNoteOf("SELECT 1")).toBeNull();
  expect(keptOutNoteOf(null)).toBeNull();
});

it("cannot be ended, opened again or broken by a name, nor hold a secret", () => {
  const relation = `"a*/; DROP TABLE t; /*\nb password=s3cret"`;
  const sql = keptOutSql({ ...note, relation, migration: `2_${"x".repeat(2000)}` });
  expect(sql.match(/\*\/|\/\*/g)).toEqual(["/*", "*/"]);
  expect(sql).not.toContain("s3cret");
  expect(sql).not.toContain("\n");
  expect(sql.length).toBeLessThan(600);
  expect(keptOutNoteOf(sql)?.pids).toEqual(note.pids);
});
