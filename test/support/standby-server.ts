import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LaunchedServer } from "../../src/postgres/embedded/launch.ts";
import { handOver } from "../../src/postgres/embedded/server-files.ts";
import { startTemporaryServer } from "../../src/postgres/embedded/temporary-server.ts";
import { testMajor } from "./server.ts";
import { copyTemplate } from "./template.ts";

/**
 * Starts a server in hot standby: it takes connections, is in recovery for ever and writes nothing. It follows no
 * primary, so that it holds what a new cluster holds.
 */
export async function startStandby(): Promise<LaunchedServer> {
  return startTemporaryServer({
    major: testMajor(),
    env: process.env,
    settings: { hot_standby: "on" },
    initialise: async (binaries, user, dataDirectory) => {
      const password = await copyTemplate(binaries, user, dataDirectory);
      const signal = join(dataDirectory, "standby.signal");
      await writeFile(signal, "");
      await handOver(signal, 0o600, user);
      return password;
    },
  });
}
