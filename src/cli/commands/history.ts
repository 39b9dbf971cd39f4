import type { HistoryResult } from "../../api/types.ts";
import { migrationId, wholeNumber, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderHistory } from "../views/history.ts";

interface Flags {
  readonly limit?: number;
  readonly id?: string;
}

export const define: DefineVerb = (command, run) => {
  command
    .option("--limit <n>", "newest entries to show, 0 for all (default: 100)", wholeNumber("--limit", 0))
    .option("--id <id>", "only what happened to this migration", migrationId("--id"))
    .addHelpText(
      "after",
      examples([
        ["godwit history", "the last hundred entries of the log, the newest last"],
        ["godwit history --id 20260102090000_orders", "everything that happened to one migration"],
        ["godwit history --limit 0 --json", "the whole log as data"],
      ]),
    )
    .action(({ limit, id }: Flags) =>
      run<HistoryResult>({
        verb: "history",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.history({ ...session.options, ...withoutUndefined({ limit, id }) }));
        },
        view: (result, context) => renderHistory(result, context, id),
      }),
    );
};
