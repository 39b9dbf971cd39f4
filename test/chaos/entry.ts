/**
 * The command line as the chaos tests start it: at every crash point it tells its parent and stands still, with its whole event
 * loop, until the parent lets it go on. Without a parent that listens it ends, so that none is ever left behind.
 */
import { readSync, writeSync } from "node:fs";
import { onCrashPoint } from "../../src/core/crash-points.ts";

/** A socket between parent and child; see `processes.ts`. */
const CHANNEL = 3;

const answer = Buffer.alloc(1);

onCrashPoint((point, migration) => {
  writeSync(CHANNEL, `${JSON.stringify({ point, migration })}\n`);
  if (readSync(CHANNEL, answer, 0, 1, null) === 0) process.kill(process.pid, "SIGKILL");
});

await import("../../src/cli/main.ts");
