import { monotonicMs } from "../core/clock.ts";
import { GodwitError, isGodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { readSnapshot } from "../history/read.ts";
import { compareWithHistory } from "../plan/compare.ts";
import type { FleetIo } from "./io.ts";
import type { WaitOptions } from "./options.ts";
import type { WaitResult } from "./results.ts";
import { filesOf, selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

const POLL_MS = 250;

/**
 * Waits until databases accept connections and, unless `connectionOnly`, until migrations are applied: those named by `for`, or
 * every file of the selected streams. Opens a session for each look and keeps none: a waiter holds no snapshot.
 * @param deadlineMs how long to wait; 0: one look.
 * @throws GodwitError PENDING when it was not reached in time, DATABASE_UNREACHABLE when the database was not.
 */
export async function wait(io: FleetIo, options: WaitOptions, deadlineMs: number): Promise<WaitResult> {
  const started = monotonicMs();
  const wanted = wantedIds(io, options);
  const left = (): number => deadlineMs - (monotonicMs() - started);
  for (let attempt = 1; ; attempt++) {
    const targets: WaitResult["targets"][number][] = [];
    let seen = true;
    for (const [name, ids] of wanted) {
      const [stream] = selectStreams(io.config, [name]);
      const target = await resolveTarget(io, stream!);
      const patient = { ...io, connectWaitMs: Math.max(0, left()) };
      const missing = await withTargetSession(patient, target, async (session) => {
        if (options.connectionOnly === true) return [];
        const { applied } = compareWithHistory([], (await readSnapshot(session, target.scope)).rows);
        return ids.filter((id) => !applied.has(id));
      }).catch((error: unknown) => {
        if (!willPass(error) || left() <= 0) throw error;
        const elapsedMs = monotonicMs() - started;
        const reason = error.message;
        io.emit({ type: "connection.waiting", target: target.id, reason, attempt, elapsedMs });
        seen = false;
        return ids;
      });
      targets.push({ target: target.id, database: target.label, missing });
    }
    const waitedMs = monotonicMs() - started;
    const result: WaitResult = {
      reached: seen && targets.every((target) => target.missing.length === 0),
      waitedMs,
      targets,
    };
    if (result.reached) return result;
    if (seen && left() <= 0) throw notReached(result);
    await sleep(Math.min(POLL_MS, Math.max(1, left())), io.signal);
  }
}

/** Whether a look failed for a reason that waiting may end: the session was ended, or the database is yet to be made. */
function willPass(error: unknown): error is GodwitError {
  return (
    isGodwitError(error, "CONNECTION_LOST") ||
    (isGodwitError(error, "DATABASE_UNREACHABLE") && error.sqlstate === "3D000")
  );
}

function wantedIds(io: FleetIo, options: WaitOptions): Map<string, string[]> {
  const wanted = new Map<string, string[]>();
  if (options.for === undefined || options.for.length === 0) {
    for (const stream of selectStreams(io.config, options.streams)) {
      const files = options.connectionOnly === true ? [] : filesOf(io, stream);
      wanted.set(
        stream.name,
        files.filter((file) => file.kind === "versioned").map((file) => file.id),
      );
    }
    return wanted;
  }
  for (const name of options.for) {
    const slash = name.indexOf("/");
    const streams = selectStreams(io.config, slash === -1 ? options.streams : [name.slice(0, slash)]);
    const [only, ...others] = streams;
    if (only === undefined || others.length > 0) {
      throw new GodwitError("USAGE", `${name} does not say which stream it belongs to`, {
        hint: `write ${streams.map((stream) => `${stream.name}/${name}`).join(" or ")}`,
      });
    }
    wanted.set(only.name, [...(wanted.get(only.name) ?? []), name.slice(slash + 1)]);
  }
  return wanted;
}

function notReached(result: WaitResult): GodwitError {
  const missing = result.targets.flatMap(({ target, missing: ids }) => ids.map((id) => `${target}/${id}`));
  const shown = missing.slice(0, 3).join(", ");
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
  return new GodwitError("PENDING", `not applied yet: ${shown}${more}`, {
    hint: "apply them: godwit up; or wait longer with --timeout",
    result,
  });
}
