import type { RunResult } from "../../api/types.ts";
import { migrationId, wholeNumber, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderRunSummary } from "../views/run-summary.ts";
import { planSpec } from "./plan-spec.ts";
import type { RunFlags } from "./run-flags.ts";
import { oneExtent } from "./steps.ts";

export const define: DefineVerb = (command, run) => {
  command
    .argument("[n]", "how many to take back (default: 1)", wholeNumber("N", 1))
    .option(
      "--to <id>",
      "take back everything applied after this migration; it stays itself",
      migrationId("--to"),
    )
    .option("--all", "take back everything")
    .option("--dry-run", "print the exact SQL instead of running it")
    .addHelpText(
      "after",
      examples([
        ["godwit down", "take back the last one"],
        ["godwit down 3", "take back the last three"],
        ["godwit down --to 20260102090000_orders", "go back to where that one was the last"],
        ["godwit down --all --dry-run", "see what taking back everything would drop"],
      ]),
    )
    .action((steps: number | undefined, { to, all, dryRun }: RunFlags) => {
      oneExtent("down", { N: steps, "--to": to, "--all": all });
      const chosen = withoutUndefined({ steps, to, all });
      if (dryRun === true) return run(planSpec({ ...chosen, direction: "down" }));
      return run<RunResult>({
        verb: "down",
        recorded: true,
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.down({ ...session.locking, ...chosen }));
        },
        closing: (result, context) => renderRunSummary(result, "down", context),
      });
    });
};
