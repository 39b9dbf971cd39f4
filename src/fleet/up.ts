import type { StreamConfig } from "../config/types.ts";
import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import type { MigrationFile } from "../migrations/types.ts";
import { hasWork } from "./inspect.ts";
import type { FleetIo } from "./io.ts";
import type { UpOptions } from "./options.ts";
import { withParticipants, type Participant } from "./participants.ts";
import type { RunResult } from "./results.ts";
import { finishRun, keepingResult } from "./run-outcome.ts";
import { assertFolders, selectStreams } from "./streams.ts";
import { withTurn } from "./turn.ts";
import { prepareParser } from "../sql/parser.ts";

/**
 * Brings every selected stream up. Everything is read and checked before anything is touched: files, edits of what is applied,
 * the graph. Then migrations run in the order of the graph, across streams where they require each other; a stream that
 * fails stops what depends on it, and the rest goes on.
 * @throws GodwitError with the RunResult as `result` once something was run; see docs/errors for the codes.
 */
export async function up(io: FleetIo, options: UpOptions): Promise<RunResult> {
  const started = monotonicMs();
  const streams = selectStreams(io.config, options.streams);
  assertSelection(options, streams);
  assertFolders(io, streams);
  const files = new Map<string, readonly MigrationFile[]>();
  let begun = false;
  const attempt = (patient: FleetIo): Promise<RunResult> =>
    withParticipants(patient, streams, files, [], async (participants) => {
      const runs = participants.map((participant) => participant.run);
      const busy = participants.filter((participant) => hasWork(participant.findings.comparison));
      const work = async (own: FleetIo, all: readonly Participant[]): Promise<void> => {
        // What parses and runs is not loaded where there is nothing to run.
        prepareParser();
        const { bringUp } = await import("./bring-up.ts");
        await bringUp(own, options, all, files, () => void (begun = true));
      };
      const [only, ...others] = busy;
      // Repeatables may turn out not to be put back: then there is no work, and no lock is asked for.
      const isSure = only !== undefined && only.findings.comparison.pending.length > 0;
      if (only !== undefined && (!isSure || others.length > 0)) {
        await keepingResult(io, runs, started, () => work(io, participants));
      } else if (only !== undefined) {
        const done = await keepingResult(io, runs, started, () =>
          withTurn(io, only, (own, now) =>
            work(
              own,
              participants.map((one) => (one === only ? now : one)),
            ),
          ),
        );
        if (!done) tellIdle(io, participants);
      }
      return finishRun(io, runs, monotonicMs() - started);
    });
  try {
    return await attempt(io);
  } catch (error) {
    if (begun) throw error;
    const { beginAgain } = await import("./begin-again.ts");
    return beginAgain(io, error, attempt, () => begun);
  }
}

/** Another run has done it all while this one waited. */
function tellIdle(io: FleetIo, participants: readonly Participant[]): void {
  for (const { run } of participants) {
    const { target, error, durationMs } = run.result();
    io.emit({ type: "target.finished", target, applied: 0, durationMs, error });
  }
}

function assertSelection(options: UpOptions, streams: readonly StreamConfig[]): void {
  if (options.to === undefined || streams.length <= 1) return;
  throw new GodwitError(
    "USAGE",
    `--to ${options.to} is an id of one stream, and there are ${streams.length}`,
    {
      hint: `name the stream: --stream ${streams.map((stream) => stream.name).join(" or --stream ")}`,
    },
  );
}
