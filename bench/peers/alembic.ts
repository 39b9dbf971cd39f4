import type { Command } from "../command.ts";
import { debianVersion, installFromApt } from "../install.ts";
import { numbers, upStatements } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const PROGRAM = "/usr/bin/alembic";
const DRIVER = "/usr/lib/python3/dist-packages/psycopg2";
const ENVIRONMENT = `import os
from alembic import context
from sqlalchemy import create_engine

url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://", 1)
with create_engine(url).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
`;

export const peer: Peer = {
  name: "alembic",
  how: "`alembic upgrade head` with `transaction_per_migration=True`",
  // It keeps no row per migration, only where it stands: revision r<number> of a chain.
  historyCount: "SELECT coalesce(max(substr(version_num, 2)::int), 0) AS count FROM alembic_version",

  install: async (context) => installFromApt([PROGRAM, DRIVER], ["alembic", "python3-psycopg2"], context),
  version: async (context) => debianVersion("alembic", context),

  async generate(folder, count) {
    await writeFiles(folder, [
      ["alembic.ini", "[alembic]\nscript_location = .\n"],
      ["env.py", ENVIRONMENT],
      ...numbers(count).map((number) => [`versions/r${number}.py`, revision(number)] as const),
    ]);
  },

  apply: upgrade,
  noop: upgrade,
};

function revision(number: number): string {
  return [
    "from alembic import op",
    "",
    `revision = "r${number}"`,
    `down_revision = ${number === 1 ? "None" : `"r${number - 1}"`}`,
    "",
    "",
    "def upgrade():",
    ...upStatements(number).map((statement) => `    op.execute("${statement}")`),
    "",
    "",
    "def downgrade():",
    `    op.execute("DROP TABLE t_${number}")`,
    "",
  ].join("\n");
}

function upgrade({ databaseUrl, folder }: PeerTarget): Command {
  return { file: PROGRAM, args: ["upgrade", "head"], cwd: folder, env: { DATABASE_URL: databaseUrl } };
}
