import { join } from "node:path";
import type { Command } from "../command.ts";
import { installedVersion, installFromNpm, peerFolder } from "../install.ts";
import { numbers, upSql } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const NAME = "postgres-migrations";
const SCRIPT = `import pg from "pg";
import { migrate } from "postgres-migrations";
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await migrate({ client }, process.argv[2]);
await client.end();
`;

export const peer: Peer = {
  name: NAME,
  how: "a script that calls its `migrate({ client }, folder)`; it has no command line",
  // Its first row is the migration that creates its own table.
  historyCount: "SELECT count(*)::int AS count FROM migrations WHERE id > 0",

  async install(context) {
    await installFromNpm(NAME, { "postgres-migrations": "5.3.0", pg: "8.23.1" }, context);
    await writeFiles(peerFolder(NAME), [["run.js", SCRIPT]]);
  },
  version: async () => (await installedVersion(NAME, NAME)) ?? "unknown",

  // It wants numbers from 1 without a gap.
  generate: async (folder, count) =>
    writeFiles(
      folder,
      numbers(count).map((number) => [`${number}_m${number}.sql`, upSql(number)]),
    ),

  apply: migrate,
  noop: migrate,
};

function migrate({ databaseUrl, folder }: PeerTarget): Command {
  const args = [join(peerFolder(NAME), "run.js"), folder];
  return { file: process.execPath, args, cwd: folder, env: { DATABASE_URL: databaseUrl } };
}
