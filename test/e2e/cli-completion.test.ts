import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { MAIN, Project, SHOP } from "./cli-harness.ts";

const bash = spawnSync("bash", ["--version"]).status === 0;

/** What bash offers for lines that end at the cursor, having sourced the script that godwit prints. */
function offeredByBash(lines: readonly string[]): string[] {
  const project = new Project({
    ...SHOP,
    "bin/godwit": `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`,
    "complete.bash": `source <(godwit completion bash)
complete -p godwit >/dev/null || exit 1
while IFS= read -r line; do
  COMP_LINE="$line" COMP_POINT=\${#line} COMPREPLY=()
  _godwit godwit "\${line##* }" ""
  echo "\${COMPREPLY[*]}"
done\n`,
  });
  chmodSync(join(project.folder, "bin/godwit"), 0o755);
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "complete.bash"], {
    cwd: project.folder,
    encoding: "utf8",
    input: lines.map((line) => `${line}\n`).join(""),
    env: { ...process.env, PATH: `${join(project.folder, "bin")}${delimiter}${process.env.PATH}` },
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.trimEnd().split("\n");
}

describe.skipIf(!bash)("completion in bash", () => {
  it("completes verbs, flags, ids, words and paths", () => {
    expect(
      offeredByBash([
        "godwit re",
        "godwit up --ste",
        "godwit up --to 20260101",
        "godwit up --to=20260101",
        "godwit status --color ",
        "godwit --migrations mig",
        "godwit init ",
      ]),
    ).toEqual([
      "redo repair",
      "--step",
      "20260101000000_users",
      "20260101000000_users",
      "auto always never",
      "migrations",
      expect.stringContaining("migrations"),
    ]);
  });
});
