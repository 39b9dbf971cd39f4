import { join } from "node:path";
import { PeerUnavailable } from "../bench-error.ts";
import { type Command, output, run } from "../command.ts";
import { REPOSITORY, WORK_FOLDER } from "../folders.ts";
import { exists } from "../install.ts";
import { downSql, migrationId, numbers, upSql } from "../migrations.ts";
import type { Peer, PeerTarget } from "../peer.ts";
import { writeFiles } from "../write-files.ts";

const MAIN = join(REPOSITORY, "dist", "cli", "main.js");

/** Godwit as its users run it: the published bundle, made from the sources by `npm run build` first. */
export const peer: Peer = {
  name: "godwit",
  how: "`godwit up`, the built bundle with all its defaults",
  historyCount: "SELECT count(*)::int AS count FROM godwit.migrations WHERE status = 'completed'",

  async install({ signal, progress }) {
    progress("building");
    const args = [join(REPOSITORY, "scripts", "build.ts")];
    const logFile = join(WORK_FOLDER, "build.log");
    try {
      await run({ file: process.execPath, args, cwd: REPOSITORY }, { signal, logFile });
    } catch {
      signal.throwIfAborted();
      throw new PeerUnavailable("its build fails; what it says is in bench/.work/build.log");
    }
    if (!(await exists(MAIN))) throw new PeerUnavailable("the build made no dist/cli/main.js");
  },

  version: async ({ signal }) =>
    output(
      { file: process.execPath, args: [MAIN, "--version"], cwd: REPOSITORY },
      { signal, logFile: join(WORK_FOLDER, "godwit.version.log") },
    ),

  generate: async (folder, count) =>
    writeFiles(
      folder,
      numbers(count).map((number) => [
        `${migrationId(number)}.sql`,
        `-- migrate:up\n${upSql(number)}-- migrate:down\n${downSql(number)}`,
      ]),
    ),

  apply: up,
  noop: up,
};

function up({ databaseUrl, folder }: PeerTarget): Command {
  const args = [MAIN, "up", "--database", databaseUrl, "--migrations", folder];
  return { file: process.execPath, args, cwd: folder };
}
