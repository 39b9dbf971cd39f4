import type { PlanOptions, PlanResult } from "../../api/types.ts";
import type { VerbSpec } from "../verb.ts";
import { renderPlan, renderPlanSummary } from "../views/plan-sql.ts";

/** `plan`, and `--dry-run` of the verbs that it stands for. */
export function planSpec(options: PlanOptions): VerbSpec<PlanResult> {
  return {
    verb: "plan",
    work: async (session) => {
      const godwit = await session.godwit();
      return session.follow(godwit.plan({ ...session.options, ...options }));
    },
    view: renderPlan,
    closing: renderPlanSummary,
  };
}
