import type { Command } from "../command.ts";
import { installedVersion, installFromNpm, packageFile } from "../install.ts";
import { downSql, migrationId, numbers, upSql } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const NAME = "node-pg-migrate";

export const peer: Peer = {
  name: NAME,
  how: "`node-pg-migrate up --no-single-transaction`: a transaction per migration",
  historyCount: "SELECT count(*)::int AS count FROM pgmigrations",

  install: async (context) => installFromNpm(NAME, { "node-pg-migrate": "9.0.0", pg: "8.23.1" }, context),
  version: async () => (await installedVersion(NAME, NAME)) ?? "unknown",

  generate: async (folder, count) =>
    writeFiles(
      folder,
      numbers(count).map((number) => [
        `${migrationId(number)}.sql`,
        `-- Up Migration\n${upSql(number)}\n-- Down Migration\n${downSql(number)}`,
      ]),
    ),

  apply: up,
  noop: up,
};

function up({ databaseUrl, folder }: PeerTarget): Command {
  const main = packageFile(NAME, NAME, "bin", "node-pg-migrate.js");
  const args = [main, "up", "-m", folder, "--no-single-transaction"];
  return { file: process.execPath, args, cwd: folder, env: { DATABASE_URL: databaseUrl } };
}
