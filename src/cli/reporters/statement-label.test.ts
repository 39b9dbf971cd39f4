import { describe, expect, it } from "vitest";
import { maskSecrets } from "../../core/mask-secrets.ts";
import { count, groupDigits, statementLabel } from "./statement-label.ts";

describe("the label of a statement", () => {
  it.each([
    ["CREATE TABLE a (\n  id int\n)", "CREATE TABLE a ( id int )"],
    ["-- why\n/* and\nhow */ SELECT 1", "SELECT 1"],
    ["-- only a comment", ""],
    ["SELECT '--x'", "SELECT '--x'"],
  ])("of %j is %j", (sql, label) => {
    expect(statementLabel(sql)).toBe(label);
  });

  it.each([
    "CREATE ROLE shop LOGIN PASSWORD 's3cret'",
    "ALTER ROLE shop password\n 's3''cret x'",
    "CREATE ROLE shop PASSWORD E's3cret'",
    "DO $$ BEGIN EXECUTE 'CREATE ROLE shop PASSWORD ''s3cret'''; END $$",
    "CREATE SUBSCRIPTION s CONNECTION 'host=a user=b password=s3cret dbname=c' PUBLICATION p",
    "CREATE USER MAPPING FOR x SERVER y OPTIONS (user 'u', password 's3cret')",
    "SELECT dblink('postgres://u:s3cret@host/db')",
  ])("hides the password of %s", (sql) => {
    expect(maskSecrets(sql)).not.toContain("s3");
    expect(maskSecrets(sql)).toContain("***");
  });

  it("leaves other SQL as it is", () => {
    const sql = "UPDATE users SET password_hash = crypt('a', gen_salt('bf')) WHERE note = 'password'";
    expect(maskSecrets(sql)).toBe(sql);
  });
});

describe("numbers", () => {
  it("are grouped by threes", () => {
    expect([1, 999, 1000, 1234567].map(groupDigits)).toEqual(["1", "999", "1 000", "1 234 567"]);
    expect([count(1, "row"), count(0, "row"), count(2000, "row")]).toEqual(["1 row", "0 rows", "2 000 rows"]);
  });
});
