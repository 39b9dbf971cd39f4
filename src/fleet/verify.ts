import { GodwitError } from "../core/error.ts";
import { verifyLog } from "../history/log.ts";
import { readSnapshot } from "../history/read.ts";
import type { HistoryRow } from "../history/types.ts";
import { lockKey } from "../lock/key.ts";
import type { MigrationFile } from "../migrations/types.ts";
import { compareWithHistory, isApplied, type Comparison } from "../plan/compare.ts";
import { judgeChanges, type ChangedFile } from "./changed-files.ts";
import type { FleetIo } from "./io.ts";
import { filesOfMigration, putBackCommand } from "./put-back.ts";
import { pathShower } from "./show-path.ts";
import type { VerbOptions } from "./options.ts";
import type { VerifyResult, VerifyTarget } from "./results.ts";
import { withResult } from "./run-outcome.ts";
import { listed, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

/**
 * Proves that the log of every selected target is whole and unaltered, and that the files are what was applied. Reads only.
 * @throws GodwitError LOG_CHAIN_BROKEN or CHECKSUM_MISMATCH with the VerifyResult as `result`.
 */
export async function verify(io: FleetIo, options: VerbOptions): Promise<VerifyResult> {
  const targets: VerifyTarget[] = [];
  const edited: MigrationFile[] = [];
  for (const stream of selectStreams(io.config, options.streams)) {
    const files = listed(io, stream);
    const target = await resolveTarget(io, stream);
    targets.push(
      await withTargetSession(io, target, async (session) => {
        const { meta, rows } = await readSnapshot(session, target.scope);
        const comparison = compareWithHistory(files, rows);
        const changes = await judgeChanges(session, target.scope, withRepeatables(comparison, rows));
        edited.push(...changes.filter(({ change }) => change === "edited").map(({ file }) => file));
        const chain =
          meta === null
            ? { entries: 0, brokenAt: null, reason: null }
            : await verifyLog(session, target.scope, lockKey(target.scope));
        return {
          target: target.id,
          database: target.label,
          ...chain,
          changed: idsOf(changes, "edited"),
          downChanged: idsOf(changes, "down"),
          reformatted: idsOf(changes, "reformatted"),
          missing: comparison.missing.map((row) => row.id),
        };
      }),
    );
  }
  const result = { targets };
  for (const { target, brokenAt, reason } of targets) {
    if (brokenAt === null) continue;
    throw new GodwitError("LOG_CHAIN_BROKEN", `the log of ${target} was altered: ${reason}`, {
      hint: "compare with a backup; entries before this one are proven: godwit history",
      result,
    });
  }
  const changed = targets.filter((one) => one.changed.length > 0);
  if (changed.length === 0) return result;
  const ids = changed.flatMap((one) => one.changed);
  throw withResult(
    new GodwitError("CHECKSUM_MISMATCH", `applied migrations were edited since: ${ids.join(", ")}`, {
      hint:
        `put them back: ${putBackCommand(edited.flatMap(filesOfMigration), pathShower(io))}\n` +
        'or accept them: godwit repair accept-checksum --reason "…"\n' +
        "a repeatable is applied as it is now by: godwit up",
    }),
    result,
  );
}

function idsOf(changes: readonly ChangedFile[], what: ChangedFile["change"]): string[] {
  return changes.filter(({ change }) => change === what).map(({ file }) => file.id);
}

/** For `up` an edited repeatable is merely due; here it is a file that is not what was applied. */
function withRepeatables(comparison: Comparison, rows: readonly HistoryRow[]): Comparison {
  const applied = new Map(
    rows.filter((row) => row.kind === "repeatable" && isApplied(row)).map((row) => [row.id, row]),
  );
  const edited = comparison.repeatables.flatMap((file) => {
    const row = applied.get(file.id);
    return row === undefined ? [] : [{ file, row }];
  });
  return { ...comparison, changed: [...comparison.changed, ...edited] };
}
