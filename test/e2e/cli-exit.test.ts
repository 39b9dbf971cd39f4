import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { MAIN, Project } from "./cli-harness.ts";

/** How many times V8 takes over what its baseline compiler made on another thread while a command line runs. */
async function compiledOnOtherThreads(project: Project, argv: readonly string[]): Promise<number> {
  const trace = join(project.folder, "trace.json");
  const child = spawn(
    process.execPath,
    [
      // Every function is compiled at once, so that there is much to see.
      "--baseline-batch-compilation-threshold=1",
      "--trace-event-categories=v8,disabled-by-default-v8.compile",
      `--trace-event-file-pattern=${trace}`,
      ...argv,
    ],
    { cwd: project.folder, stdio: "ignore" },
  );
  const exit = await new Promise((resolve) => child.once("close", resolve));
  expect(exit).toBe(0);
  const { traceEvents } = JSON.parse(readFileSync(trace, "utf8")) as { traceEvents: { name: string }[] };
  return traceEvents.filter(({ name }) => name === "V8.FinalizeBaselineConcurrentCompilation").length;
}

it("compiles on its main thread, so that no other thread keeps the process from ending", async () => {
  const project = new Project({
    "migrations/1_a.sql": "CREATE TABLE a ();\n",
    // What main.ts does, but for the setting.
    "without.mjs": `import { runProcess } from ${JSON.stringify(pathToFileURL(join(MAIN, "../process.ts")))};
process.exit(await runProcess(["graph", "--offline"], process.exit));
`,
  });
  const without = await compiledOnOtherThreads(project, ["without.mjs"]);
  const by = await compiledOnOtherThreads(project, [MAIN, "graph", "--offline"]);
  expect(without).toBeGreaterThan(40);
  // Node itself compiles some before main.ts begins.
  expect(by).toBeLessThan(without / 2);
});
