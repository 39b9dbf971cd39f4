import type { LockBlockersResult, LockReleaseResult, LockStatusResult } from "../../api/types.ts";
import { nonEmpty, usageError, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderLockBlockers } from "../views/lock-blockers.ts";
import { renderLockRelease } from "../views/lock-release.ts";
import { renderLockStatus } from "../views/lock-status.ts";

interface ReleaseFlags {
  readonly force?: boolean;
  readonly reason?: string;
}

export const define: DefineVerb = (command, run) => {
  command.addHelpText(
    "after",
    examples([
      ["godwit lock status", "who holds Godwit's lock, since when, what it does"],
      ["godwit lock release", "tidy up after a holder that is gone"],
      ["godwit lock blockers", "who waits for whom in the database"],
    ]),
  );
  command
    .command("status")
    .description("Show who holds Godwit's lock, and what it does.")
    .addHelpText(
      "after",
      examples([
        ["godwit lock status", "creates nothing; a role that may only read is enough"],
        ["godwit lock status --json", "the same as data"],
      ]),
    )
    .action(() =>
      run<LockStatusResult>({
        verb: "lock",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.lockStatus(session.options));
        },
        view: renderLockStatus,
      }),
    );
  command
    .command("release")
    .description("Release Godwit's lock in place of its holder.")
    .option("--force", "also from a holder that lives: its session is ended and rolls back")
    .option("--reason <text>", "why; written to the log, required with --force", nonEmpty("--reason"))
    .addHelpText(
      "after",
      examples([
        ["godwit lock release", "refuses while the holder lives"],
        [
          'godwit lock release --force --reason "its machine hangs"',
          "the holder can commit nothing any more",
        ],
      ]),
    )
    .action(({ force, reason }: ReleaseFlags) => {
      if (force === true && reason === undefined) {
        throw usageError(
          "godwit lock release --force: --reason is missing",
          'godwit lock release --force --reason "…"',
        );
      }
      return run<LockReleaseResult>({
        verb: "lock",
        recorded: true,
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(
            godwit.lockRelease({ ...session.options, ...withoutUndefined({ force, reason }) }),
          );
        },
        view: renderLockRelease,
      });
    });
  command
    .command("blockers")
    .description("Show who waits for whose locks in the database.")
    .addHelpText("after", examples([["godwit lock blockers", "changes nothing; it prints the statements"]]))
    .action(() =>
      run<LockBlockersResult>({
        verb: "lock",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.lockBlockers(session.options));
        },
        view: renderLockBlockers,
      }),
    );
};
