import type { PlanOptions, PlanResult } from "../../api/types.ts";
import type { VerbSpec } from "../verb.ts";
import type * as PlanViews from "../views/plan-sql.ts";

/** `plan`, and `--dry-run` of the verbs that it stands for. */
export function planSpec(options: PlanOptions): VerbSpec<PlanResult> {
  // What shows SQL knows of plans, with which no other verb is to be loaded.
  let views: typeof PlanViews | undefined;
  return {
    verb: "plan",
    work: async (session) => {
      const godwit = await session.godwit();
      views = await import("../views/plan-sql.ts");
      return session.follow(godwit.plan({ ...session.options, ...options }));
    },
    view: (result, context) => views?.renderPlan(result, context) ?? "",
    closing: (result) => views?.renderPlanSummary(result) ?? "",
  };
}
