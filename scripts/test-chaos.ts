/**
 * Runs the chaos tests: many processes at once, and whoever holds the lock is killed at point after point.
 * Usage: node scripts/test-chaos.ts [--seed N | --seed random] [--rounds N] [--processes N] [--majors 14,18] [--full] [test files …]
 * The same seed gives the same faults. Without --full each point is hit on one of the servers and by fewer kinds of faults,
 * which takes some minutes; the last line says `N passed, N failed`.
 */
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VITEST = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));

const { values, positionals } = parseArgs({
  options: {
    seed: { type: "string" },
    rounds: { type: "string" },
    processes: { type: "string" },
    majors: { type: "string" },
    full: { type: "boolean" },
  },
  allowPositionals: true,
});
const seed = values.seed === "random" ? String(randomBytes(4).readUInt32LE()) : values.seed;
const given = {
  GODWIT_CHAOS_SEED: seed,
  GODWIT_CHAOS_ROUNDS: values.rounds,
  GODWIT_CHAOS_PROCESSES: values.processes,
  GODWIT_CHAOS_MAJORS: values.majors,
  GODWIT_CHAOS_FULL: values.full === true ? "1" : undefined,
};
const env: NodeJS.ProcessEnv = { ...process.env };
for (const [name, value] of Object.entries(given)) if (value !== undefined) env[name] = value;
// The servers are the tests' own: they are killed.
delete env["PG_TEST_URL"];

const child = spawn(process.execPath, [VITEST, "run", "--project", "chaos", ...positionals], {
  cwd: ROOT,
  env,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
const [status] = (await once(child, "close")) as [number | null];
process.exitCode = status ?? 1;
