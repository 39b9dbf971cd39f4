import { expect, it } from "vitest";
import { indexProbe } from "./index-probe.ts";

it.each([
  ["CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX ON pg_temp.t  (a)"],
  [
    'create unique index concurrently if not exists "on" on only s.t(a)',
    "CREATE UNIQUE INDEX ON pg_temp.t (a)",
  ],
  [
    'CREATE INDEX /* on */ CONCURRENTLY -- on\n ON d . s . "t" USING gin (a) WHERE b -- c',
    "CREATE INDEX ON pg_temp.t  USING gin (a) WHERE b -- c",
  ],
  ["CREATE INDEX CONCURRENTLY i ON t * (a)", "CREATE INDEX ON pg_temp.t  * (a)"],
  ["CREATE INDEX", null],
  ["CREATE INDEX ON t", null],
])("%s", (sql, expected) => {
  expect(indexProbe(sql, "pg_temp.t")).toBe(expected);
});
