import { expect, it } from "vitest";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { statesOf, testProject, writeFiles } from "../../support/project.ts";
import { AT_GATE, PATIENT, shutGate } from "../safety/gate.ts";

it("a run past a pooler ends although the pooler hangs and never answers the renewal of the lease", async () => {
  const { database, root, open, godwit } = await testProject({
    "1_a.sql": `${PATIENT}${AT_GATE}\nCREATE TABLE a ();\n`,
  });
  const pooler = await cuttingProxy(database.url, { matches: () => false, when: "before" });
  await writeFiles(root, { "godwit.config.yaml": "lock: { provider: lease, lease: 3s }\n" });
  const gate = await shutGate(database);
  const run = (await open({ database: pooler.url, directUrl: database.url })).up();
  await gate.reached();
  pooler.freeze();
  for await (const event of run) {
    if (event.type === "warning" && /^the lease could not be renewed for \d+ s/.test(event.message)) break;
  }
  await gate.open();
  await run;
  expect(await statesOf(godwit)).toEqual(["1_a: applied"]);
  expect(await database.query("SELECT outcome FROM godwit.runs")).toEqual([{ outcome: "completed" }]);
  expect(await database.query("SELECT lease_ms FROM godwit.migration_locks")).toEqual([{ lease_ms: null }]);
});
