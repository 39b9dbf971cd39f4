import type { VerifyResult } from "../../api/types.ts";
import { GodwitError } from "../../core/error.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderVerify } from "../views/verify.ts";

/** The error a verification amounts to: a broken log before changed files. */
export function verifyError(result: VerifyResult): GodwitError | null {
  const broken = result.targets.find(({ brokenAt }) => brokenAt !== null);
  if (broken !== undefined) {
    return new GodwitError(
      "LOG_CHAIN_BROKEN",
      `${broken.target}: the log does not hold at entry ${broken.brokenAt}`,
      {
        hint: "somebody wrote to the history by hand: compare it with a backup",
        ...(broken.reason === null ? {} : { detail: broken.reason }),
      },
    );
  }
  const changed = result.targets.find((target) => target.changed.length > 0);
  if (changed !== undefined) {
    return new GodwitError(
      "CHECKSUM_MISMATCH",
      `${changed.target}: edited since applied: ${changed.changed.join(", ")}`,
      {
        hint: "put the files back, or accept them: godwit repair",
      },
    );
  }
  return null;
}

export const define: DefineVerb = (command, run) => {
  command
    .addHelpText(
      "after",
      examples([
        ["godwit verify", "exit status 5 if the log was altered or an applied file was edited"],
        ["godwit verify --json", "the same as data"],
      ]),
    )
    .action(() =>
      run<VerifyResult>({
        verb: "verify",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.verify(session.options));
        },
        view: renderVerify,
        outcome: verifyError,
      }),
    );
};
