import { join } from "node:path";
import type { Command } from "../command.ts";
import { installedVersion, installFromNpm, peerFolder } from "../install.ts";
import { migrationId, numbers, upSql } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const NAME = "umzug";
const SCRIPT = `import { readFile } from "node:fs/promises";
import pg from "pg";
import { Umzug } from "umzug";
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("CREATE TABLE IF NOT EXISTS umzug_migrations (name text PRIMARY KEY)");
const umzug = new Umzug({
  migrations: {
    glob: ["*.sql", { cwd: process.argv[2] }],
    resolve: ({ name, path }) => ({
      name,
      up: async () => {
        await client.query("BEGIN");
        await client.query(await readFile(path, "utf8"));
      },
    }),
  },
  storage: {
    logMigration: async ({ name }) => {
      await client.query("INSERT INTO umzug_migrations (name) VALUES ($1)", [name]);
      await client.query("COMMIT");
    },
    unlogMigration: async () => {},
    executed: async () => (await client.query("SELECT name FROM umzug_migrations")).rows.map((row) => row.name),
  },
  logger: undefined,
});
await umzug.up();
await client.end();
`;

export const peer: Peer = {
  name: NAME,
  how: "a script with a resolver for SQL files and a history table, as its manual shows; logging off",
  historyCount: "SELECT count(*)::int AS count FROM umzug_migrations",

  async install(context) {
    await installFromNpm(NAME, { umzug: "3.8.3", pg: "8.23.1" }, context);
    await writeFiles(peerFolder(NAME), [["run.js", SCRIPT]]);
  },
  version: async () => (await installedVersion(NAME, NAME)) ?? "unknown",

  generate: async (folder, count) =>
    writeFiles(
      folder,
      numbers(count).map((number) => [`${migrationId(number)}.sql`, upSql(number)]),
    ),

  apply: up,
  noop: up,
};

function up({ databaseUrl, folder }: PeerTarget): Command {
  const args = [join(peerFolder(NAME), "run.js"), folder];
  return { file: process.execPath, args, cwd: folder, env: { DATABASE_URL: databaseUrl } };
}
