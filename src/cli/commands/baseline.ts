import type { RunResult } from "../../api/types.ts";
import { migrationId, nonEmpty, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderRunSummary } from "../views/run-summary.ts";

export const define: DefineVerb = (command, run) => {
  command
    .argument("<id>", "this migration and every earlier one count as applied", migrationId("ID"))
    .option("--reason <text>", "written to the log", nonEmpty("--reason"))
    .addHelpText(
      "after",
      examples([
        ["godwit baseline 20260102090000_orders", "the database has everything up to there already"],
        ['godwit baseline 20260102090000_orders --reason "taken over from Flyway"', "say why"],
      ]),
    )
    .action((id: string, { reason }: { readonly reason?: string }) =>
      run<RunResult>({
        verb: "baseline",
        recorded: true,
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.baseline({ ...session.locking, id, ...withoutUndefined({ reason }) }));
        },
        closing: (result, context) => renderRunSummary(result, "baseline", context),
      }),
    );
};
