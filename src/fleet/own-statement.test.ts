import { expect, it } from "vitest";
import { isOwnStatement } from "./own-statement.ts";

it.each([
  ["SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL ROLE NONE; SELECT godwit.record_change('(1)'); COMMIT", true],
  ["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", true],
  ["BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = 1000; SELECT 1; COMMIT", true],
  ["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ALTER TABLE t ADD x int", false],
  ["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = 50; LOCK TABLE t", false],
  ["SET CONSTRAINTS ALL IMMEDIATE", false],
  ["ALTER TABLE t ADD x int", false],
])("tells what Godwit sends by itself: %s", (query, own) => {
  expect(isOwnStatement(query)).toBe(own);
});
