import type { TestProject } from "vitest/node";
import { type LaunchedServer, startServer } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A superuser's URL of the server that this run's tests share. */
    readonly testServerUrl: string;
  }
}

interface SharedServer {
  readonly server: Promise<LaunchedServer>;
  users: number;
}

declare global {
  /** Projects load this file each for itself; the server is shared through the process. */
  var godwitTestServer: SharedServer | undefined;
}

/** Starts one server for the run, or uses PG_TEST_URL, and tells the tests where it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const existing = process.env["PG_TEST_URL"];
  if (existing !== undefined && existing !== "") {
    project.provide("testServerUrl", existing);
    return async () => undefined;
  }
  const entry = (globalThis.godwitTestServer ??= {
    server: startServer({ settings: { max_connections: "200" } }),
    users: 0,
  });
  entry.users++;
  project.provide("testServerUrl", (await entry.server).conninfo);
  return async () => {
    if (--entry.users > 0) return;
    globalThis.godwitTestServer = undefined;
    await (await entry.server).stop();
  };
}
