import { describe, expect, it } from "vitest";
import type { StepRow } from "../history/types.ts";
import type { Section } from "../migrations/types.ts";
import { splitSql } from "../sql/split.ts";
import { finishedSteps } from "./finished-steps.ts";
import { stepHash, stepsOf } from "./steps.ts";

async function sectionOf(sql: string): Promise<Section> {
  const { statements } = await splitSql(sql);
  return { sql, statements, checksum: "", transaction: true };
}

/** The lines that a run of a text leaves when its first steps are done. */
async function ledgerOf(sql: string, done: number, version: 1 | 2): Promise<StepRow[]> {
  const steps = stepsOf(await sectionOf(sql), new Set()).slice(0, done);
  return steps.map((step) => ({
    id: "1_a",
    direction: "up",
    ordinal: step.ordinal,
    statementHash: stepHash(step, ""),
    statementHashes:
      version === 1
        ? null
        : step.kind === "transaction"
          ? step.statements.map(({ hash }) => hash)
          : step.kind === "standalone"
            ? [step.statement.hash]
            : [],
    state: "done",
  }));
}

const FILE = "SELECT 1; SELECT 2; SELECT 3; VACUUM; SELECT 4;";

describe.each([1, 2] as const)("finishedSteps with a ledger of version %i", (version) => {
  it.each([
    ["the same", FILE, 2, ["1 2 3", "alone 4"]],
    ["more behind the first transaction", "SELECT 1; SELECT 2; SELECT 3; SELECT 33; VACUUM;", 1, ["1 2 3"]],
    ["one less in the first transaction", "SELECT 1; SELECT 2; VACUUM; SELECT 3;", 1, null],
    ["another first statement", FILE.replace("1", "11"), 1, null],
    ["another one that stands alone", FILE.replace("VACUUM", "VACUUM FULL"), 2, null],
    ["nothing left", "SELECT 1;", 1, null],
    ["comments and white space", FILE.replace("; ", ";\n-- c\n"), 2, ["1 2 3", "alone 4"]],
  ])("%s", async (_what, now, done, expected) => {
    const found = finishedSteps(await sectionOf(now), new Set(), await ledgerOf(FILE, done, version));
    const shown =
      "edited" in found
        ? null
        : found.steps.map((step) =>
            step.kind === "standalone"
              ? `alone ${step.statement.ordinal}`
              : step.kind === "transaction"
                ? step.statements.map(({ ordinal }) => ordinal).join(" ")
                : "code",
          );
    expect(shown).toEqual(expected);
  });
});

it("names the first statement that is not the same any more", async () => {
  const now = await sectionOf("SELECT 1; SELECT 22; SELECT 3; VACUUM;");
  expect(finishedSteps(now, new Set(), await ledgerOf(FILE, 2, 2))).toEqual({ edited: { ordinal: 2 } });
  const later = await sectionOf("SELECT 1; SELECT 2; SELECT 3; VACUUM FULL;");
  expect(finishedSteps(later, new Set(), await ledgerOf(FILE, 2, 2))).toEqual({ edited: { ordinal: 4 } });
});
