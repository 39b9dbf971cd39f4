import type { StatusResult } from "../../api/types.ts";
import { GodwitError } from "../../core/error.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderStatus } from "../views/status.ts";

const WORST = ["NEEDS_REPAIR", "CHECKSUM_MISMATCH", "PENDING"] as const;
const MESSAGES = {
  NEEDS_REPAIR: ["a migration needs a person's decision", "godwit repair"],
  CHECKSUM_MISMATCH: ["an applied migration's file was edited", "godwit repair"],
  PENDING: ["migrations are pending", "godwit up"],
} as const;

/** What `--exit-code` makes of a status; the worst of all targets. */
export function statusError(result: StatusResult): GodwitError | null {
  const worst = WORST.find((code) => result.targets.some((target) => target.code === code));
  if (worst === undefined) return null;
  const targets = result.targets.filter(({ code }) => code === worst).map(({ target }) => target);
  const [message, hint] = MESSAGES[worst];
  return new GodwitError(worst, `${targets.join(", ")}: ${message}`, { hint });
}

export const define: DefineVerb = (command, run) => {
  command
    .option("--exit-code", "end with 9 (needs repair), 5 (file changed) or 3 (pending) instead of 0")
    .option("--all", "every migration, on a terminal too")
    .addHelpText(
      "after",
      examples([
        ["godwit status", "one line a migration"],
        ["godwit status --exit-code --quiet", "in a pipeline: is anything pending?"],
        ["godwit status --json", "the same as data"],
      ]),
    )
    .action((flags: { readonly exitCode?: boolean; readonly all?: boolean }) =>
      run<StatusResult>({
        verb: "status",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.status(session.options));
        },
        view: (result, context) => renderStatus(result, context, flags.all === true),
        outcome: (result) => (flags.exitCode === true ? statusError(result) : null),
      }),
    );
};
