import type { RunResult } from "../../api/types.ts";
import { migrationId, wholeNumber, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderRunSummary } from "../views/run-summary.ts";
import { planSpec } from "./plan-spec.ts";
import type { RunFlags } from "./run-flags.ts";

export const define: DefineVerb = (command, run) => {
  command
    .option("--to <id>", "apply up to and including this migration", migrationId("--to"))
    .option("--step <n>", "apply at most so many on each target", wholeNumber("--step", 1))
    .option("--reapply", "run repeatables again although a later version of them was applied")
    .option("--dry-run", "print the exact SQL instead of running it, as `godwit plan` does")
    .addHelpText(
      "after",
      examples([
        ["godwit up", "apply everything pending"],
        ["godwit up --step 1", "apply the next one"],
        ["godwit up --to 20260102090000_orders", "stop after that one"],
        ["godwit up --dry-run", "see the SQL first"],
        ["godwit up --connect-wait 30s --json", "in a pipeline, with a database that is starting"],
      ]),
    )
    .action(({ to, step: steps, reapply, dryRun }: RunFlags) => {
      const chosen = withoutUndefined({ to, steps, reapply });
      if (dryRun === true) return run(planSpec({ ...chosen, direction: "up" }));
      return run<RunResult>({
        verb: "up",
        recorded: true,
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.up({ ...session.locking, ...chosen }));
        },
        closing: (result, context) => renderRunSummary(result, "up", context),
      });
    });
};
