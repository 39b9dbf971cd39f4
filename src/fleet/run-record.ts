import { hostname, userInfo } from "node:os";
import { newRunId } from "./run-id.ts";
import { VERSION } from "../core/version.ts";
import type { RunRecord } from "../history/runs.ts";

/** Who runs what, from where, as the history records it; variables are those that continuous integration sets. */
export function runRecord(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  gitSha?: string,
): RunRecord {
  return {
    runId: newRunId(),
    command,
    // Asked for only where it is recorded: the system may have to look the user up.
    get osUser() {
      return osUser(env);
    },
    host: env["HOSTNAME"] ?? hostname(),
    gitSha: gitSha ?? env["GIT_SHA"] ?? env["GITHUB_SHA"] ?? env["CI_COMMIT_SHA"] ?? null,
    image: env["GODWIT_IMAGE"] ?? null,
    toolVersion: VERSION,
  };
}

function osUser(env: Readonly<Record<string, string | undefined>>): string | null {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that no file names.
    return env["USER"] ?? null;
  }
}
