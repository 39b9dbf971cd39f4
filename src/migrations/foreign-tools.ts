import { GodwitError } from "../core/error.ts";

/** What to write instead, per tool whose files are recognised; `{dir}` is the folder of migrations. */
const REMEDIES = {
  "golang-migrate":
    "put each pair into one <id>.sql: the .up.sql part under `-- migrate:up`, the .down.sql part under `-- migrate:down`",
  postgrator:
    "put each pair into one <id>.sql: the .do part under `-- migrate:up`, the .undo part under `-- migrate:down`",
  "db-migrate":
    "put each pair into one <id>.sql: the -up.sql part under `-- migrate:up`, the -down.sql part under `-- migrate:down`",
  Flyway:
    "rename V<version>__<name>.sql to <version>_<name>.sql with digits of equal length and put the U file's SQL under `-- migrate:down`; R__<name>.sql becomes <name>.repeatable.sql",
  goose:
    "replace `-- +goose Up` by `-- migrate:up` and `-- +goose Down` by `-- migrate:down`, and delete the other +goose lines",
  "sql-migrate":
    "replace `-- +migrate Up` by `-- migrate:up` and `-- +migrate Down` by `-- migrate:down`, and delete the other +migrate lines",
  micrate: "replace `-- +micrate Up` by `-- migrate:up` and `-- +micrate Down` by `-- migrate:down`",
  "node-pg-migrate":
    "SQL files: replace `-- Up Migration` by `-- migrate:up` and `-- Down Migration` by `-- migrate:down`; code: rewrite it with `up(db)` and `down(db)`",
  "graphile-migrate":
    "delete the `--!` header lines; what is left is all `up`, and its undoing goes under `-- migrate:down`",
  Liquibase:
    "write each changeset as a file <id>.sql: its SQL under `-- migrate:up`, its `--rollback` lines under `-- migrate:down`",
  MyBatis: "write `-- migrate:up` above the file's SQL and replace `--//@UNDO` by `-- migrate:down`",
  tern: "write `-- migrate:up` above the file's SQL and replace the line `---- create above / drop below ----` by `-- migrate:down`",
  Sqitch:
    "put deploy/<name>.sql under `-- migrate:up` and revert/<name>.sql under `-- migrate:down` of one <id>.sql, in the plan's order, without BEGIN and COMMIT",
  Prisma: "move each <id>/migration.sql to <id>.sql",
  Drizzle:
    "keep the .sql files, delete the lines `--> statement-breakpoint` and move the folder `meta` away (Drizzle 1: move each <id>/migration.sql to <id>.sql)",
  Alembic: "write what `alembic upgrade <from>:<to> --sql` prints to <id>.sql",
  Django: "write what `python manage.py sqlmigrate <app> <name>` prints to <id>.sql",
  Rails: "write each migration's SQL to <id>.sql",
  Laravel: "write what `php artisan migrate --pretend` prints to <id>.sql",
  Ecto: "write what `mix ecto.migrate --log-migrations-sql` prints to <id>.sql",
  knex: "rewrite `up(knex)` and `down(knex)` as `up(db)` and `down(db)` with `db.query`, or as SQL",
  Sequelize:
    "rewrite `up(queryInterface)` and `down(queryInterface)` as `up(db)` and `down(db)` with `db.query`, or as SQL",
  TypeORM: "rewrite the class as exported functions `up(db)` and `down(db)` with `db.query`, or as SQL",
  MikroORM: "rewrite the class as exported functions `up(db)` and `down(db)` with `db.query`, or as SQL",
  Kysely: "rewrite `up(db)` and `down(db)` with `db.query`, or as SQL",
} as const;

export type ForeignTool = keyof typeof REMEDIES;

/** The remedy for files of another tool: what to do by hand. */
export function foreignRemedy(tool: ForeignTool): string {
  return `convert them by hand: ${REMEDIES[tool]}`;
}

/**
 * The error for files of another tool found by their names.
 * @param names some of them, as found in the folder.
 */
export function foreignFiles(tool: ForeignTool, directory: string, names: readonly string[]): GodwitError {
  const shown = names.slice(0, 3).join(", ");
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return new GodwitError(
    "MIGRATION_FOREIGN_FORMAT",
    `${directory} holds files in the form of ${tool}: ${shown}${more}`,
    { hint: foreignRemedy(tool) },
  );
}
