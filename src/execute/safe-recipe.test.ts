import { expect, it } from "vitest";
import { safeRecipe } from "./safe-recipe.ts";

it.each([
  [
    'CREATE UNIQUE INDEX "By Email"\n  ON app.users (email)',
    'CREATE UNIQUE INDEX CONCURRENTLY "By Email" ON app.users (email);',
  ],
  ["DROP INDEX app.by_email", "DROP INDEX CONCURRENTLY app.by_email;"],
  ["REINDEX TABLE app.users", "REINDEX TABLE CONCURRENTLY app.users;"],
  ["REINDEX INDEX by_email", "REINDEX INDEX CONCURRENTLY by_email;"],
  ["REFRESH MATERIALIZED VIEW totals", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;"],
  [
    "ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 17)",
    "ALTER TABLE users ADD CONSTRAINT adult CHECK (…) NOT VALID;\n  ALTER TABLE users VALIDATE CONSTRAINT adult;",
  ],
  [
    "ALTER TABLE orders ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES app.users",
    "ADD CONSTRAINT of_user FOREIGN KEY (…) REFERENCES app.users NOT VALID;",
  ],
  [
    'ALTER TABLE users ADD CONSTRAINT one UNIQUE (email, "Of")',
    'CREATE UNIQUE INDEX CONCURRENTLY one ON users (email, "Of");\n  ALTER TABLE users ADD CONSTRAINT one UNIQUE USING INDEX one;',
  ],
  ["ALTER TABLE users ADD PRIMARY KEY (id)", "PRIMARY KEY USING INDEX"],
  [
    "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
    "ADD CONSTRAINT email_not_null CHECK (email IS NOT NULL) NOT VALID;",
  ],
  ["ALTER TABLE users ALTER COLUMN id TYPE bigint", "ALTER TABLE users ADD COLUMN id_new …;"],
  [
    "ALTER TABLE users ALTER COLUMN id TYPE bigint",
    "CREATE INDEX CONCURRENTLY … ON users (id_new); -- all of id that goes with it",
  ],
  ["ALTER TABLE users ADD COLUMN key uuid DEFAULT gen_random_uuid()", "ALTER COLUMN key SET DEFAULT …;"],
  ["ALTER TABLE days DETACH PARTITION day_1", "ALTER TABLE days DETACH PARTITION day_1 CONCURRENTLY;"],
  ["UPDATE app.users SET email = lower(email)", "change the rows of app.users in batches"],
  ["DELETE FROM users", "delete the rows of users in batches"],
  ["VACUUM FULL users", "pg_repack"],
])("%s", async (sql, recipe) => {
  expect(await safeRecipe(sql)).toContain(recipe);
});

it.each([
  "SELECT 1",
  "CREATE INDEX CONCURRENTLY i ON users (id)",
  "ALTER TABLE users ADD CONSTRAINT one UNIQUE USING INDEX one",
  "ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 17) NOT VALID",
  "not SQL",
])("has none for %s", async (sql) => {
  expect(await safeRecipe(sql)).toBeNull();
});
