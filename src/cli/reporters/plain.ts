import type { OutputStream } from "../io.ts";
import type { Style } from "../style.ts";
import { renderError } from "../views/error.ts";
import type { ViewContext } from "../verb.ts";
import { ActivityTracker } from "./activity.ts";
import { EventLines } from "./event-lines.ts";
import type { Reporter } from "./reporter.ts";

export interface TextReporterOptions {
  readonly out: OutputStream;
  readonly style: Style;
  readonly context: ViewContext;
  readonly quiet: boolean;
  readonly now: () => number;
}

const REPEAT_MS = 10_000;
const TICK_MS = 1000;

/** Lines one after the other, for pipes and logs; what takes long is told again every ten seconds. */
export function plainReporter(options: TextReporterOptions): Reporter {
  const { out, style, quiet, now } = options;
  const lines = new EventLines({ style, width: () => 0, verbose: options.context.verbose });
  const activities = new ActivityTracker(now);
  const told = new Map<string, { since: number; at: number }>();

  let wrote = false;

  const tick = () => {
    for (const activity of activities.current) {
      const last = told.get(activity.target);
      // A wait for the lock or the database is told at once, a statement only when it takes long.
      const first = activity.kind === "statement" ? activity.since + REPEAT_MS : activity.since;
      const due = last?.since === activity.since ? last.at + REPEAT_MS : first;
      if (now() < due) continue;
      told.set(activity.target, { since: activity.since, at: now() });
      out.write(style.dim(`    … ${activities.describe(activity)}`) + "\n");
    }
  };
  const timer = quiet ? undefined : setInterval(tick, TICK_MS).unref();

  return {
    event(event) {
      if (quiet) return;
      activities.event(event);
      for (const line of lines.lines(event)) {
        out.write(`${line}\n`);
        wrote = true;
      }
      if (event.type === "lock.waiting" || event.type === "connection.waiting") tick();
    },
    error(error) {
      out.write(`${wrote ? "\n" : ""}${renderError(error, options.context)}`);
    },
    remark(text) {
      if (!quiet) out.write(`${style.dim(text)}\n`);
    },
    close() {
      clearInterval(timer);
    },
  };
}
