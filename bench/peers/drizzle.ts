import { join } from "node:path";
import type { Command } from "../command.ts";
import { installedVersion, installFromNpm, peerFolder } from "../install.ts";
import { numbers, upStatements } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const NAME = "drizzle";
const SCRIPT = `import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await migrate(drizzle(client), { migrationsFolder: process.argv[2] });
await client.end();
`;
const FIRST_MS = 1_704_067_200_000;

export const peer: Peer = {
  name: NAME,
  how: "a script that calls its `migrate(db, { migrationsFolder })`; one transaction for all migrations, it offers no other",
  historyCount: "SELECT count(*)::int AS count FROM drizzle.__drizzle_migrations",

  async install(context) {
    await installFromNpm(NAME, { "drizzle-orm": "0.45.4", pg: "8.23.1" }, context);
    await writeFiles(peerFolder(NAME), [["run.js", SCRIPT]]);
  },
  version: async () => (await installedVersion(NAME, "drizzle-orm")) ?? "unknown",

  async generate(folder, count) {
    const entries = numbers(count).map((number) => ({
      idx: number - 1,
      version: "7",
      when: FIRST_MS + number,
      tag: tag(number),
      breakpoints: true,
    }));
    const journal = { version: "7", dialect: "postgresql", entries };
    await writeFiles(folder, [
      ["meta/_journal.json", JSON.stringify(journal)],
      ...numbers(count).map(
        (number) =>
          [
            `${tag(number)}.sql`,
            upStatements(number)
              .map((statement) => `${statement};`)
              .join("\n--> statement-breakpoint\n"),
          ] as const,
      ),
    ]);
  },

  apply: migrate,
  noop: migrate,
};

function tag(number: number): string {
  return `${String(number).padStart(5, "0")}_m${number}`;
}

function migrate({ databaseUrl, folder }: PeerTarget): Command {
  const args = [join(peerFolder(NAME), "run.js"), folder];
  return { file: process.execPath, args, cwd: folder, env: { DATABASE_URL: databaseUrl } };
}
