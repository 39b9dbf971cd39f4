import type { Node } from "libpg-query";
import { commandTag } from "./command-tag.ts";
import { doCommits } from "./do-commits.ts";
import { isPatient } from "./patience.ts";
import { statementLocks } from "./locks/statement-locks.ts";
import { sessionEffect } from "./session-effect.ts";
import { transactionNeed } from "./transaction-need.ts";
import type { Statement } from "./types.ts";

/** What the parse tree of a statement tells about running it. */
export type Classification = Pick<
  Statement,
  | "tag"
  | "transaction"
  | "transactionReason"
  | "catalogCheck"
  | "sessionEffect"
  | "commits"
  | "patient"
  | "locks"
>;

export function classify(node: Node): Classification {
  return {
    tag: commandTag(node),
    ...transactionNeed(node),
    sessionEffect: sessionEffect(node),
    commits: doCommits(node),
    patient: isPatient(node),
    locks: statementLocks(node),
  };
}
