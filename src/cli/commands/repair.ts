import type { RepairAction, RepairResult } from "../../api/types.ts";
import { migrationId, oneOf, nonEmpty, usageError, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderRepair } from "../views/repair.ts";

const ACTIONS: readonly RepairAction[] = [
  "accept-checksum",
  "forget",
  "mark-applied",
  "mark-not-applied",
  "mark-step-applied",
  "mark-step-not-applied",
];
const NEEDS_IDS: ReadonlySet<RepairAction> = new Set([
  "mark-applied",
  "mark-not-applied",
  "mark-step-applied",
  "mark-step-not-applied",
]);

export const define: DefineVerb = (command, run) => {
  command
    .argument(
      "[action]",
      `what to do: ${ACTIONS.join(", ")}; absent: only say what needs it`,
      oneOf("action", ACTIONS),
    )
    .argument("[id...]", "migrations to do it to; accept-checksum and forget without one: all that need it")
    .option("--reason <text>", "why; written to the log, required with an action", nonEmpty("--reason"))
    .addHelpText(
      "after",
      examples([
        ["godwit repair", "what needs a person, and the commands to choose from"],
        [
          'godwit repair accept-checksum --reason "fixed a typo in a comment"',
          "edited files are right as they are",
        ],
        ['godwit repair forget 20260102090000_orders --reason "never released"', "its file is gone for good"],
        [
          'godwit repair mark-applied 20260102090000_orders --reason "index is there"',
          "it was finished by hand",
        ],
        [
          'godwit repair mark-step-not-applied 20260102090000_orders --reason "undone by hand"',
          "the step that it stopped at is run again, what is done before it stays",
        ],
      ]),
    )
    .action(
      (
        action: RepairAction | undefined,
        given: readonly string[],
        { reason }: { readonly reason?: string },
      ) => {
        const ids = given.map(migrationId("ID"));
        if (action !== undefined && reason === undefined) {
          throw usageError(
            `godwit repair ${action}: --reason is missing`,
            `godwit repair ${[action, ...ids].join(" ")} --reason "…"`,
          );
        }
        if (action !== undefined && NEEDS_IDS.has(action) && ids.length === 0) {
          throw usageError(
            `godwit repair ${action}: which migration?`,
            `godwit repair ${action} ID --reason "…"`,
          );
        }
        return run<RepairResult>({
          verb: "repair",
          recorded: true,
          work: async (session) => {
            const godwit = await session.godwit();
            return session.follow(
              godwit.repair({
                ...session.locking,
                ...withoutUndefined({ action, reason, ids: ids.length === 0 ? undefined : ids }),
              }),
            );
          },
          view: (result, context) => renderRepair(result, action, context),
        });
      },
    );
};
