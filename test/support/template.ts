import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { initialiseDataDirectory } from "../../src/postgres/embedded/initialise.ts";
import { isInitialised } from "../../src/postgres/embedded/launch.ts";
import type { Binaries } from "../../src/postgres/embedded/runtime-copy.ts";
import { newPassword } from "../../src/postgres/embedded/server-parameters.ts";
import type { ServerUser } from "../../src/postgres/embedded/server-user.ts";

/**
 * Gives a test server its data directory by copying one that initdb made once for this version: ten times
 * as fast as initdb. All copies share a password, which only this account can read.
 * @returns the password of the superuser.
 */
export async function copyTemplate(
  binaries: Binaries,
  user: ServerUser | null,
  dataDirectory: string,
): Promise<string> {
  const owner = user === null ? "" : `-${user.name}`;
  const template = join(dirname(binaries.directory), `template-${binaries.version}${owner}`);
  if (!(await isInitialised(join(template, "data")))) await makeTemplate(binaries, user, template);
  // Several times as fast as the asynchronous copy.
  cpSync(join(template, "data"), dataDirectory, { recursive: true });
  await chmod(dataDirectory, 0o700);
  if (user !== null) await giveTree(dataDirectory, user);
  return readFile(join(template, "password"), "utf8");
}

async function makeTemplate(binaries: Binaries, user: ServerUser | null, template: string): Promise<void> {
  const scratch = await mkdtemp(join(dirname(template), ".template-"));
  try {
    const password = newPassword();
    await writeFile(join(scratch, "password"), password, { mode: 0o600 });
    // The server's account passes through to the data directory, which is its own.
    await chmod(scratch, 0o711);
    const dataDirectory = join(scratch, "data");
    const durable = false;
    await initialiseDataDirectory({ binaries, dataDirectory, user, password, auth: "scram", durable });
    await rename(scratch, template).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster: its template is as good.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function giveTree(root: string, user: ServerUser): Promise<void> {
  const entries = await readdir(root, { recursive: true });
  await Promise.all(
    [root, ...entries.map((entry) => join(root, entry))].map((p) => chown(p, user.uid, user.gid)),
  );
}
