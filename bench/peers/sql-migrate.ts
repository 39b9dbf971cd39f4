import type { Command } from "../command.ts";
import { debianVersion, installFromApt } from "../install.ts";
import { downSql, migrationId, numbers, upSql } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const PROGRAM = "/usr/bin/sql-migrate";

export const peer: Peer = {
  name: "sql-migrate",
  how: "`sql-migrate up`",
  historyCount: "SELECT count(*)::int AS count FROM gorp_migrations",

  install: async (context) => installFromApt([PROGRAM], ["sql-migrate"], context),
  version: async (context) => debianVersion("sql-migrate", context),

  async generate(folder, count) {
    const config = [
      "development:",
      "  dialect: postgres",
      "  datasource: ${DATABASE_URL}",
      "  dir: migrations",
      "",
    ].join("\n");
    await writeFiles(folder, [
      ["dbconfig.yml", config],
      ...numbers(count).map(
        (number) =>
          [
            `migrations/${migrationId(number)}.sql`,
            `-- +migrate Up\n${upSql(number)}\n-- +migrate Down\n${downSql(number)}`,
          ] as const,
      ),
    ]);
  },

  apply: up,
  noop: up,
};

function up({ databaseUrl, folder }: PeerTarget): Command {
  return { file: PROGRAM, args: ["up"], cwd: folder, env: { DATABASE_URL: databaseUrl } };
}
