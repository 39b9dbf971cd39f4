import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

const MODULE = new URL("compile-flags.ts", import.meta.url).href;

/** What V8 tells of its optimising compilers while a script runs in a process of its own. */
function traceOf(script: string): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--trace-opt", "--input-type=module", "--eval", script],
    { encoding: "utf8" },
  );
  expect(status, stderr).toBe(0);
  return stdout;
}

const HOT = `
  let sum = 0;
  for (let round = 0; round < 300; round++) for (const one of functions) sum += one(30);
`;
const FUNCTIONS = `
  const functions = Array.from({ length: 50 }, (_, i) =>
    new Function("n", "let s = " + i + "; for (let i = 0; i < n; i++) s = (s * 31 + i) % 1000; return s"));
`;

it("nothing is compiled any more once compiling is finished", () => {
  const before = traceOf(`${FUNCTIONS}${HOT}`);
  expect(before).toContain("[compiling method");

  const after = traceOf(`
    import { finishCompiling } from ${JSON.stringify(MODULE)};
    finishCompiling();
    // The engine has the function that waits: otherwise this is a syntax error.
    new Function("%FinalizeOptimization()")();
    process.stdout.write("finished\\n");
    ${FUNCTIONS}${HOT}
  `);
  expect(after).toContain("finished\n");
  expect(after.slice(after.indexOf("finished\n"))).not.toContain("[compiling method");
});
