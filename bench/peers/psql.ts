import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { PeerUnavailable } from "../bench-error.ts";
import { output } from "../command.ts";
import { WORK_FOLDER } from "../folders.ts";
import { exists, installFromApt } from "../install.ts";
import { migrationId, numbers, upStatements } from "../migrations.ts";
import type { Peer } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const DEBIAN_ROOT = "/usr/lib/postgresql";
const FILE = "all.sql";
const CHECKSUM = `sha256:${"0f".repeat(32)}`;

let psql: string | null = null;

/** The floor: no tool at all, the statements in one file with a transaction and a history row for each migration. */
export const peer: Peer = {
  name: "psql",
  how: "`psql -X -q -v ON_ERROR_STOP=1 -f`: BEGIN, the statements, an insert into a history table, COMMIT",
  historyCount: "SELECT count(*)::int AS count FROM history",

  async install(context) {
    psql = await findPsql();
    if (psql !== null) return;
    await installFromApt(["/usr/bin/psql"], ["postgresql-client"], context);
    psql = await findPsql();
    if (psql === null) throw new PeerUnavailable("there is no psql on PATH");
  },

  async version({ signal }) {
    const logFile = join(WORK_FOLDER, "psql.version.log");
    const text = await output({ file: program(), args: ["--version"], cwd: "/" }, { signal, logFile });
    return /\d[\d.]*/.exec(text)?.[0] ?? text;
  },

  async generate(folder, count) {
    const history =
      "CREATE TABLE history (id text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());\n";
    const migrations = numbers(count).map((number) =>
      [
        "BEGIN",
        ...upStatements(number),
        `INSERT INTO history (id, checksum) VALUES ('${migrationId(number)}', '${CHECKSUM}')`,
        "COMMIT;\n",
      ].join(";\n"),
    );
    await writeFiles(folder, [[FILE, history + migrations.join("")]]);
  },

  apply: ({ databaseUrl, folder }) => ({
    file: program(),
    args: ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", FILE, databaseUrl],
    cwd: folder,
  }),

  noop: () => null,
};

function program(): string {
  if (psql === null) throw new PeerUnavailable("psql was not looked for yet");
  return psql;
}

/** Debian's /usr/bin/psql is a script in Perl that takes longer to start than psql itself: its target is taken. */
async function findPsql(): Promise<string | null> {
  const majors = (await readdir(DEBIAN_ROOT).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const folders = [...majors.map((major) => join(DEBIAN_ROOT, major, "bin")), ...onPath];
  for (const folder of folders) {
    const candidate = join(folder, "psql");
    if (await exists(candidate)) return candidate;
  }
  return null;
}
