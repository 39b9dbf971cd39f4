import { join } from "node:path";
import type { Command } from "../command.ts";
import { installedVersion, installFromNpm, packageFile, peerFolder } from "../install.ts";
import { downSql, migrationId, numbers, upSql } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const NAME = "knex";
const KNEXFILE = `module.exports = {
  client: "pg",
  connection: process.env.DATABASE_URL,
  migrations: { directory: process.env.MIGRATIONS, loadExtensions: [".cjs"] },
};
`;

export const peer: Peer = {
  name: NAME,
  how: "`knex migrate:latest`",
  historyCount: "SELECT count(*)::int AS count FROM knex_migrations",

  async install(context) {
    await installFromNpm(NAME, { knex: "3.3.0", pg: "8.23.1" }, context);
    await writeFiles(peerFolder(NAME), [["knexfile.cjs", KNEXFILE]]);
  },
  version: async () => (await installedVersion(NAME, NAME)) ?? "unknown",

  generate: async (folder, count) =>
    writeFiles(
      folder,
      numbers(count).map((number) => [
        `${migrationId(number)}.cjs`,
        `exports.up = (knex) => knex.raw(${JSON.stringify(upSql(number))});\n` +
          `exports.down = (knex) => knex.raw(${JSON.stringify(downSql(number))});\n`,
      ]),
    ),

  apply: latest,
  noop: latest,
};

function latest({ databaseUrl, folder }: PeerTarget): Command {
  const knexfile = join(peerFolder(NAME), "knexfile.cjs");
  return {
    file: process.execPath,
    args: [packageFile(NAME, NAME, "bin", "cli.js"), "migrate:latest", "--knexfile", knexfile],
    cwd: peerFolder(NAME),
    env: { DATABASE_URL: databaseUrl, MIGRATIONS: folder },
  };
}
