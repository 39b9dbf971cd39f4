import { migrationId, usageError, wholeNumber, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { planSpec } from "./plan-spec.ts";
import type { RunFlags } from "./run-flags.ts";
import { oneExtent } from "./steps.ts";

export const define: DefineVerb = (command, run) => {
  command
    .option("--down", "what `godwit down` would do")
    .option("--to <id>", "up to and including this migration; with --down: it stays", migrationId("--to"))
    .option("--step <n>", "at most so many on each target", wholeNumber("--step", 1))
    .option("--all", "with --down: everything")
    .option("--reapply", "with repeatables of which a later version was applied")
    .addHelpText(
      "after",
      examples([
        ["godwit plan", "the SQL of everything pending, in order, with its transactions"],
        ["godwit plan --step 1", "of the next one"],
        ["godwit plan --down --all", "of taking back everything"],
        ["godwit plan --json", "the same as data"],
      ]),
    )
    .action(({ down, to, step: steps, all, reapply }: RunFlags & { readonly down?: boolean }) => {
      if (down === true) oneExtent("plan --down", { "--step": steps, "--to": to, "--all": all });
      else if (all === true)
        throw usageError("godwit plan: --all needs --down", "`godwit plan --down --all`");
      const direction = down === true ? "down" : "up";
      return run(planSpec({ direction, ...withoutUndefined({ to, steps, all, reapply }) }));
    });
};
