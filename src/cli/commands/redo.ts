import type { RunResult } from "../../api/types.ts";
import { wholeNumber, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderRunSummary } from "../views/run-summary.ts";

export const define: DefineVerb = (command, run) => {
  command
    .argument("[n]", "how many of the last applied (default: 1)", wholeNumber("N", 1))
    .addHelpText(
      "after",
      examples([
        ["godwit redo", "try the down and the up of the migration being written"],
        ["godwit redo 2 --embedded", "the last two, on the project's own server"],
      ]),
    )
    .action((steps: number | undefined) =>
      run<RunResult>({
        verb: "redo",
        recorded: true,
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.redo({ ...session.locking, ...withoutUndefined({ steps }) }));
        },
        closing: (result, context) => renderRunSummary(result, "redo", context),
      }),
    );
};
