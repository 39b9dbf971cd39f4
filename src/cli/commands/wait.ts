import type { WaitResult } from "../../api/types.ts";
import { GodwitError } from "../../core/error.ts";
import { collect, migrationId, usageError } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderWait } from "../views/wait.ts";

interface Flags {
  readonly for?: readonly string[];
  readonly connection?: boolean;
}

export const define: DefineVerb = (command, run) => {
  command
    .option(
      "--for <id>",
      "until this migration is applied: ID or STREAM/ID; may be repeated",
      collect(waitedId),
    )
    .option("--connection", "only until the database accepts connections")
    .addHelpText(
      "after",
      examples([
        ["godwit wait --timeout 60s", "until nothing is pending; exit status 3 if it still is"],
        [
          "godwit wait --connection --timeout 30s",
          "until the database answers; exit status 8 if it does not",
        ],
        [
          "godwit wait --for shared/20260102090000_plans --timeout 5min",
          "until another service has migrated",
        ],
      ]),
    )
    .action((flags: Flags) => {
      if (flags.for !== undefined && flags.connection === true) {
        throw usageError("godwit wait: --for and --connection exclude each other");
      }
      return run<WaitResult>({
        verb: "wait",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(
            godwit.wait({
              ...session.options,
              ...(flags.for === undefined ? {} : { for: flags.for }),
              connectionOnly: flags.connection === true,
            }),
          );
        },
        closing: renderWait,
        outcome: waitError,
      });
    });
};

/** `ID`, `STREAM/ID`, or the path of a file. */
function waitedId(value: string): string {
  return /\.(sql|ts|js|mjs)$/.test(value) ? migrationId("--for")(value) : value;
}

/** What not having waited long enough amounts to. */
function waitError(result: WaitResult): GodwitError | null {
  if (result.reached) return null;
  const missing = result.targets.flatMap(({ target, missing: ids }) => ids.map((id) => `${target}/${id}`));
  return new GodwitError("PENDING", `not applied in time: ${missing.join(", ")}`, { hint: "godwit status" });
}
