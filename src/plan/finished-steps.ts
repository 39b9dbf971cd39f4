import { createHash } from "node:crypto";
import type { StepRow } from "../history/types.ts";
import type { Section } from "../migrations/types.ts";
import type { Statement } from "../sql/types.ts";
import { standsAlone, type CatalogAnswers } from "./steps.ts";
import type { PlanStep } from "./types.ts";

/**
 * The steps that the ledger calls done, with their statements as the text has them now.
 * @param done lines of the ledger, by ordinal.
 * @returns the first statement that is not any more what was run, if there is one.
 */
export function finishedSteps(
  section: Section,
  alone: CatalogAnswers,
  done: readonly StepRow[],
): { readonly steps: PlanStep[] } | { readonly edited: { readonly ordinal: number } } {
  const steps: PlanStep[] = [];
  let at = 0;
  for (const line of done) {
    const rest = section.statements.slice(at);
    const count = line.statementHashes === null ? countByDigest(line, rest) : countByHashes(line, rest);
    if (count <= 0) return { edited: { ordinal: at + 1 - count } };
    const statements = rest.slice(0, count);
    const [first] = statements;
    const ordinal = steps.length + 1;
    steps.push(
      count === 1 && first !== undefined && standsAlone(first, section, alone)
        ? { kind: "standalone", ordinal, statement: first }
        : { kind: "transaction", ordinal, statements },
    );
    at += count;
  }
  return { steps };
}

/** How many statements the line stands for; 0 or less: so many are the same, counted down from 0, before the first edited one. */
function countByHashes({ statementHashes }: StepRow, rest: readonly Statement[]): number {
  const hashes = statementHashes ?? [];
  const edited = hashes.findIndex((hash, index) => rest[index]?.hash !== hash);
  return edited === -1 ? hashes.length : -edited;
}

/** As `countByHashes`, of a line that has but one hash, of one statement or over those of several. */
function countByDigest({ statementHash }: StepRow, rest: readonly Statement[]): number {
  if (rest[0]?.hash === statementHash) return 1;
  const digest = createHash("sha256");
  for (const [index, { hash }] of rest.entries()) {
    digest.update(`${hash}\n`);
    if (index > 0 && `sha256:${digest.copy().digest("hex")}` === statementHash) return index + 1;
  }
  return 0;
}
