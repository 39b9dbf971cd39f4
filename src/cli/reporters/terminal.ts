import { renderError } from "../views/error.ts";
import { truncate } from "../text-width.ts";
import { ActivityTracker } from "./activity.ts";
import { EventLines } from "./event-lines.ts";
import type { TextReporterOptions } from "./plain.ts";
import type { Reporter } from "./reporter.ts";

const CLEAR_LINE = "\r\u001b[2K";
const TICK_MS = 200;
const LONG_MS = 1000;

/**
 * Lines as in a log, and below them one line that is redrawn for what takes longer than a second:
 * the statement or wait, the time, the phase, how far it is, and what it waits for.
 */
export function terminalReporter(options: TextReporterOptions): Reporter {
  const { out, style, now } = options;
  const lines = new EventLines({ style, width: () => out.columns, verbose: options.context.verbose });
  const activities = new ActivityTracker(now);
  let drawn = "";
  let wrote = false;

  const clear = () => {
    if (drawn !== "") out.write(CLEAR_LINE);
    drawn = "";
  };
  const redraw = () => {
    const long = activities.current.filter((activity) => now() - activity.since >= LONG_MS);
    const first = long[0];
    if (first === undefined) return clear();
    const more = long.length > 1 ? `  (and ${long.length - 1} more)` : "";
    const width = Math.max(20, out.columns === 0 ? 80 : out.columns) - 1;
    const text = activities.describe(first) + more;
    const tail = text.slice(first.label.length);
    const label = truncate(first.label, Math.max(10, width - 6 - tail.length));
    const line = truncate(`    … ${label}${tail}`, width);
    if (line === drawn) return;
    out.write(`${drawn === "" ? "" : CLEAR_LINE}${style.cyan(line)}`);
    drawn = line;
  };
  const timer = setInterval(redraw, TICK_MS).unref();

  return {
    event(event) {
      activities.event(event);
      const added = lines.lines(event);
      if (added.length === 0) return;
      clear();
      wrote = true;
      for (const line of added) out.write(`${line}\n`);
    },
    error(error) {
      clear();
      out.write(`${wrote ? "\n" : ""}${renderError(error, options.context)}`);
    },
    remark(text) {
      clear();
      out.write(`${style.dim(text)}\n`);
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}
