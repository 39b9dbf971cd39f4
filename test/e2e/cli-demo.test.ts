import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BROKEN_ID, BROKEN_SQL, FIXED_SQL, tellStory } from "../../src/cli/demo/story.ts";
import { schemaOfDocument } from "../../src/cli/json-schemas/by-verb.ts";
import { testDatabase } from "../support/postgres.ts";
import { Project } from "./cli-harness.ts";

/** What demos have left behind in the folder for temporary files. */
function leftBehind(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("godwit-"));
}

describe("the demo", () => {
  it("runs real verbs on a server of its own, tells what happened, and leaves nothing", async () => {
    const project = new Project({ "tmp/.keep": "" });
    const tmp = join(project.folder, "tmp");
    const { exit, stdout, stderr } = await project.run(["demo"], { TMPDIR: tmp });
    expect([exit, leftBehind(tmp)]).toEqual([0, []]);
    for (const told of [
      "$ godwit up",
      "migrations applied in",
      "$ godwit status",
      "error[MIGRATION_FAILED]",
      "^",
    ]) {
      expect(stdout).toContain(told);
    }
    expect(stdout).toContain("again, since it failed before");
    expect(stdout).toContain("migrations taken back in");
    expect(stdout.split("\n").length).toBeLessThan(100);
    expect(stderr).toContain("godwit init");
  });

  it("is data with --json", async () => {
    const { exit, stdout, stderr } = await new Project({}).run(["demo", "--json"]);
    expect([exit, stderr]).toEqual([0, ""]);
    const document: unknown = JSON.parse(stdout);
    expect(schemaOfDocument("demo").safeParse(document).error).toBeUndefined();
  });

  it("stops its server when it is interrupted", async () => {
    const project = new Project({ "tmp/.keep": "" });
    const tmp = join(project.folder, "tmp");
    const cli = project.start(["demo"], { TMPDIR: tmp });
    await cli.told("$ godwit up");
    cli.child.kill("SIGINT");
    expect((await cli.finished).exit).toBe(130);
    expect(leftBehind(tmp)).toEqual([]);
  });

  it("has a story built in for where the example is not", async () => {
    const database = await testDatabase();
    const project = new Project({}, { DATABASE_URL: database.url });
    tellStory(project.folder, null);
    expect((await project.run(["up"])).exit).toBe(0);
    project.write({ [`migrations/${BROKEN_ID}.sql`]: BROKEN_SQL });
    expect((await project.run(["up"])).exit).toBe(1);
    project.write({ [`migrations/${BROKEN_ID}.sql`]: FIXED_SQL });
    expect((await project.run(["up"])).exit).toBe(0);
    expect((await project.run(["down", "--all"])).stderr).toContain("4 migrations taken back");
    expect(await database.query("SELECT to_regclass('customers') AS customers")).toEqual([
      { customers: null },
    ]);
  });
});
