import { installedVersion, installFromNpm, packageFile } from "../install.ts";
import { downSql, migrationId, numbers, upSql } from "../migrations.ts";
import type { Command } from "../command.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const NAME = "dbmate";

export const peer: Peer = {
  name: NAME,
  how: "`dbmate --no-dump-schema migrate`, the program itself without the start of Node that npm puts before it",
  historyCount: "SELECT count(*)::int AS count FROM schema_migrations",

  install: async (context) => installFromNpm(NAME, { dbmate: "2.36.0" }, context),
  version: async () => (await installedVersion(NAME, "dbmate")) ?? "unknown",

  generate: async (folder, count) =>
    writeFiles(
      folder,
      numbers(count).map((number) => [
        `${migrationId(number)}.sql`,
        `-- migrate:up\n${upSql(number)}\n-- migrate:down\n${downSql(number)}`,
      ]),
    ),

  apply: migrate,
  noop: migrate,
};

function migrate({ databaseUrl, folder }: PeerTarget): Command {
  const file = packageFile(NAME, `@dbmate/${process.platform}-${process.arch}`, "bin", "dbmate");
  const args = ["--url", databaseUrl, "--migrations-dir", folder, "--no-dump-schema", "migrate"];
  return { file, args, cwd: folder };
}
