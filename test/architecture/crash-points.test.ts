import { describe, expect, it } from "vitest";
import { CRASH_POINTS, type CrashPoint } from "../../src/core/crash-points.ts";
import { readRepositoryFile, repositoryFiles, sourceFiles } from "./files.ts";

/** The file that each point is passed in, once. */
const PLACES: Readonly<Record<CrashPoint, string>> = {
  "lock.acquired": "lock/acquire.ts",
  "lock.no-earlier-session": "execute/held-lock.ts",
  "history.upgraded": "lock/acquire.ts",
  "lock.token-raised": "execute/held-lock.ts",
  "run.recorded": "execute/locked-target.ts",
  "transaction.begun": "execute/transaction.ts",
  "transaction.statements-done": "execute/transaction.ts",
  "transaction.commit-sent": "execute/transaction.ts",
  "transaction.committed": "execute/transaction.ts",
  "bulk.sent": "execute/whole/run-whole.ts",
  "code.running": "execute/code-database.ts",
  "standalone.judged": "execute/run-steps.ts",
  "standalone.before-intent": "execute/run-steps.ts",
  "standalone.intended": "execute/run-steps.ts",
  "standalone.under-way": "execute/run-steps.ts",
  "standalone.done": "execute/run-steps.ts",
  "standalone.recorded": "execute/run-steps.ts",
  "steps.done": "execute/run-steps.ts",
  "steps.completed": "execute/run-steps.ts",
  "lock.giving-back": "execute/locked-target.ts",
  "lock.given-back": "execute/locked-target.ts",
  "gate.left": "execute/held-lock.ts",
};

const used = sourceFiles.flatMap(({ path, withoutComments }) =>
  [...withoutComments.matchAll(/\bcrashPoint\(\s*([^,)]*)/g)]
    .filter(() => path !== "core/crash-points.ts")
    .map((match) => ({ path, name: match[1]!.trim() })),
);

describe("the crash points", () => {
  it("are written as their names, each once, where they belong", () => {
    const found = used.map(({ path, name }) => `${name} in ${path}`).sort();
    const wanted = CRASH_POINTS.map((point) => `"${point}" in ${PLACES[point]}`).sort();
    expect(found).toEqual(wanted);
  });

  it("have a name each", () => {
    expect(new Set(CRASH_POINTS).size).toBe(CRASH_POINTS.length);
  });

  it("are hooked by nothing but the chaos tests", () => {
    const hooking = repositoryFiles()
      .filter((path) => /\.(?:[cm]?[jt]s)$/.test(path))
      .filter((path) => /\bonCrashPoint\b/.test(readRepositoryFile(path)));
    const mayHook = (path: string): boolean =>
      path === "src/core/crash-points.ts" ||
      path.startsWith("test/chaos/") ||
      path === "test/architecture/crash-points.test.ts";
    expect(hooking).toContain("test/chaos/entry.ts");
    expect(hooking.filter((path) => !mayHook(path))).toEqual([]);
  });
});
