import { expect, it } from "vitest";
import { splitSql } from "./split.ts";

it.each([
  ["CREATE INDEX CONCURRENTLY ON t (a)", true],
  ["CREATE INDEX ON t (a)", false],
  ["DROP INDEX CONCURRENTLY i", true],
  ["DROP INDEX i", false],
  ["REINDEX INDEX CONCURRENTLY i", true],
  ["REINDEX (CONCURRENTLY) TABLE t", true],
  ["REINDEX (CONCURRENTLY off) TABLE t", false],
  ["ALTER TABLE t VALIDATE CONSTRAINT c", true],
  ["ALTER TABLE t VALIDATE CONSTRAINT c, VALIDATE CONSTRAINT d", true],
  ["ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN n int", false],
  ["ALTER DOMAIN d VALIDATE CONSTRAINT c", false],
  ["ALTER TABLE t DETACH PARTITION p CONCURRENTLY", true],
  ["ALTER TABLE t DETACH PARTITION p", false],
  ["REFRESH MATERIALIZED VIEW CONCURRENTLY v", true],
  ["REFRESH MATERIALIZED VIEW v", false],
  ["VACUUM t", false],
])("%s: %s", async (sql, patient) => {
  const { statements } = await splitSql(sql);
  expect(statements.map((statement) => statement.patient)).toEqual([patient]);
});
