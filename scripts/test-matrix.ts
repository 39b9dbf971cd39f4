/**
 * Runs the integration tests on every supported PostgreSQL, one after the other.
 * Usage: node scripts/test-matrix.ts [--majors 14,18] [test files …]
 * Prints a line per major, the whole output of a failed one, and the totals as the last line.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { locateBinaries } from "../src/postgres/embedded/binaries.ts";
import { EMBEDDED_MAJORS, type EmbeddedMajor, isEmbeddedMajor } from "../src/postgres/embedded/packages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VITEST = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly output: string;
}

const { values, positionals } = parseArgs({
  options: { majors: { type: "string" } },
  allowPositionals: true,
});
const majors = parseMajors(values.majors);
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort());

let [passed, failed, skipped] = [0, 0, 0];
for (const major of majors) {
  const started = performance.now();
  const outcome = await testOn(major);
  passed += outcome.passed;
  failed += outcome.failed;
  skipped += outcome.skipped;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (outcome.failed > 0) say(outcome.output.trimEnd().replaceAll(/^/gm, `${major} | `));
  say(`PostgreSQL ${major}: ${outcome.failed === 0 ? "ok" : "FAILED"} ${counts(outcome)} in ${seconds} s`);
  if (interrupt.signal.aborted) break;
}
if (interrupt.signal.aborted) {
  say("interrupted");
  failed++;
}
say(counts({ passed, failed, skipped }));
process.exitCode = failed > 0 ? 1 : 0;

/** Runs the integration project on one major; its summary line is the last that it prints. */
async function testOn(major: EmbeddedMajor): Promise<Outcome> {
  try {
    const { signal } = interrupt;
    const onProgress = (message: string): void => say(`PostgreSQL ${major}: ${message}`);
    await locateBinaries({ major, project: ROOT, env: process.env, signal, onProgress });
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, output: String(error) };
  }
  const { status, output } = await vitest(major);
  const line = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(
    output.trimEnd().split("\n").at(-1) ?? "",
  );
  if (line === null) return { passed: 0, failed: 1, skipped: 0, output };
  const outcome = { passed: Number(line[1]), failed: Number(line[2]), skipped: Number(line[3] ?? 0), output };
  const silentFailure = status !== 0 && outcome.failed === 0;
  // No tests at all is not a success.
  return silentFailure || outcome.passed === 0
    ? { ...outcome, failed: Math.max(1, outcome.failed) }
    : outcome;
}

async function vitest(major: EmbeddedMajor): Promise<{ status: number | null; output: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | null; output: string }>();
  const env: NodeJS.ProcessEnv = { ...process.env, GODWIT_TEST_PG: String(major) };
  // The matrix is about servers of its own.
  delete env["PG_TEST_URL"];
  const child = spawn(process.execPath, [VITEST, "run", "--project", "integration", ...positionals], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (): void => void child.kill("SIGTERM");
  interrupt.signal.addEventListener("abort", stop, { once: true });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.once("error", reject);
  child.once("close", (status) => resolve({ status, output }));
  try {
    return await promise;
  } finally {
    interrupt.signal.removeEventListener("abort", stop);
  }
}

function parseMajors(text: string | undefined): readonly EmbeddedMajor[] {
  if (text === undefined) return EMBEDDED_MAJORS;
  return text.split(",").map((part) => {
    const major = Number(part);
    if (!isEmbeddedMajor(major)) {
      say(`--majors ${text}: "${part}" is not one of ${EMBEDDED_MAJORS.join(", ")}`);
      process.exit(2);
    }
    return major;
  });
}

function counts(of: Omit<Outcome, "output">): string {
  return `${of.passed} passed, ${of.failed} failed${of.skipped > 0 ? `, ${of.skipped} skipped` : ""}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
