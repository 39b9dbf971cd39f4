import { formatDuration } from "../../core/duration.ts";
import type { GodwitEvent } from "../../core/events.ts";
import type { Style } from "../style.ts";
import { oneLine, pad, textWidth, truncate } from "../text-width.ts";
import { PartDone } from "./part-done.ts";
import { count, statementLabel, tellingDescription } from "./statement-label.ts";

const WIDEST = 100;
const COUNTS_ROWS: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE", "COPY"]);

export interface EventLinesOptions {
  readonly style: Style;
  /** Columns at hand; 0: not a terminal. */
  readonly width: () => number;
  readonly verbose: boolean;
}

/** Turns events into the lines that stay on the screen or in the log of a pipeline. */
export class EventLines {
  readonly #options: EventLinesOptions;
  readonly #sql = new Map<string, string>();
  readonly #heads = new Map<string, string>();
  readonly #partDone = new PartDone();
  #target: string | null = null;

  constructor(options: EventLinesOptions) {
    this.#options = options;
  }

  /** The lines an event adds, mostly none or one; no trailing newlines. */
  lines(event: GodwitEvent): string[] {
    const { style, verbose } = this.#options;
    this.#partDone.see(event);
    switch (event.type) {
      case "target.started":
        // Told with the first thing that happens there; where nothing does there is nothing to tell.
        this.#heads.set(
          event.target,
          `${style.bold(event.target)}${style.dim(`: ${event.database}, ${event.server}`)}`,
        );
        return [];
      case "embedded.started":
        if (event.reused && !verbose) return [];
        return [
          event.reused
            ? style.dim(`using the PostgreSQL in ${event.directory}`)
            : `started PostgreSQL in ${event.directory} ${style.dim(`in ${formatDuration(event.durationMs)}; \`godwit dev stop\` stops it`)}`,
        ];
      case "history.upgraded":
        return event.from === 0
          ? verbose
            ? [...this.#switchTo(event.target), style.dim("  history created")]
            : []
          : [
              ...this.#switchTo(event.target),
              style.dim(`  history upgraded from version ${event.from} to ${event.to}`),
            ];
      case "lock.acquired":
        return verbose || event.waitedMs >= 1000
          ? [
              ...this.#switchTo(event.target),
              style.dim(`  lock had after ${formatDuration(event.waitedMs)} (token ${event.token})`),
            ]
          : [];
      case "migration.started":
        return [...this.#switchTo(event.target), this.#migrationHead(event)];
      case "statement.started":
        this.#sql.set(key(event), event.sql);
        return [];
      case "statement.finished":
        return this.#statement(event);
      case "statement.skipped":
        return [
          ...this.#switchTo(event.target),
          this.#row(`    ${this.#label(event)}`, "skipped", style.dim),
          ...(event.reason === "" ? [] : [style.dim(`      ${event.reason}`)]),
        ];
      case "statement.tolerated":
        return [
          ...this.#switchTo(event.target),
          this.#row(`    ${this.#label(event)}`, "tolerated", style.dim),
          style.dim(`      ${event.object} was there already and equals`),
        ];
      case "migration.retrying":
        return [
          ...this.#switchTo(event.target),
          style.yellow(`    ↻ ${oneLine(event.reason)}; ${nextOf(event)}`),
        ];
      case "target.retrying":
        this.#sql.clear();
        return [
          ...this.#switchTo(event.target),
          style.yellow(
            `  ↻ ${oneLine(event.reason)}; going on by itself in ${formatDuration(event.delayMs)}`,
          ),
        ];
      case "target.resumed":
        return [
          ...this.#switchTo(event.target),
          style.dim(`  connected again after ${formatDuration(event.elapsedMs)}`),
        ];
      case "blocker.signalled": {
        const who = `backend ${event.pid}${event.application === "" ? "" : ` (${event.application})`}`;
        return [
          ...this.#switchTo(event.target),
          style.yellow(
            `    ! ${event.act === "cancel" ? "cancelled" : "ended"} ${who}, in the way for ${formatDuration(event.blockedMs)}: ${oneLine(event.query)}`,
          ),
        ];
      }
      case "migration.finished": {
        const how = event.confirmedLater === true ? ", committed before the connection was lost" : "";
        const done = `${event.direction === "up" ? "applied" : "taken back"}${how}`;
        return [
          ...this.#switchTo(event.target),
          this.#row(`  ${style.green("✓")} ${done}`, formatDuration(event.durationMs)),
        ];
      }
      case "migration.failed": {
        const part = this.#partDone.has(event.target, event.id) ? "failed, part of it is done" : "failed";
        const what = event.rolledBack ? "failed, rolled back" : part;
        this.#sql.clear();
        return [
          ...this.#switchTo(event.target),
          this.#row(`  ${style.red("✗")} ${what}`, formatDuration(event.durationMs)),
        ];
      }
      case "notice":
        return [
          ...this.#switchTo(event.target),
          style.dim(`      ${event.severity.toLowerCase()}: ${oneLine(event.message)}`),
        ];
      case "warning":
        return [
          `${style.yellow("warning:")} ${event.message}`,
          ...(event.hint === null ? [] : [`  ${style.cyan("hint:")} ${event.hint}`]),
        ];
      case "run.started":
      case "run.finished":
      case "target.finished":
      case "connection.waiting":
      case "lock.waiting":
      case "statement.progress":
        break;
    }
    return [];
  }

  #migrationHead(event: Extract<GodwitEvent, { type: "migration.started" }>): string {
    const { style } = this.#options;
    const sign = event.direction === "up" ? style.green("+") : style.yellow("-");
    const why = event.resumes ? "going on where it stopped" : "since it failed before";
    const again = event.retry ? style.yellow(` again, ${why}`) : "";
    const description = tellingDescription(event.id, event.description);
    const about = description === "" ? "" : `  ${style.dim(description)}`;
    const place = `${event.index}/${event.total}`;
    const head = `${sign} ${style.bold(event.id)}${again}`;
    return this.#row(textWidth(head + about) < this.#columns() - 10 ? head + about : head, place);
  }

  #statement(event: Extract<GodwitEvent, { type: "statement.finished" }>): string[] {
    const rows =
      event.rows !== null && COUNTS_ROWS.has(event.tag.split(" ")[0] ?? "")
        ? `${count(event.rows, "row")}  `
        : "";
    const label = this.#label(event);
    this.#sql.delete(key(event));
    return [
      ...this.#switchTo(event.target),
      this.#row(`    ${label}`, `${rows}${formatDuration(event.durationMs)}`),
    ];
  }

  #label(event: { target: string; id: string; ordinal: number; tag: string }): string {
    const sql = this.#sql.get(key(event));
    const label = sql === undefined ? "" : statementLabel(sql);
    return label === "" ? event.tag : label;
  }

  #columns(): number {
    const width = this.#options.width();
    return width === 0 ? WIDEST : Math.min(width, WIDEST);
  }

  /** Text on the left, a dim remark on the right. */
  #row(left: string, right: string, paint: (text: string) => string = (text) => text): string {
    const { style } = this.#options;
    const room = this.#columns() - textWidth(right) - 2;
    const fitted = textWidth(left) > room && !left.includes("\u001b") ? truncate(left, room) : left;
    return `${paint(pad(fitted, room))}  ${style.dim(right)}`;
  }

  /** Where this target differs from that of the line before: a line that says whose lines follow. */
  #switchTo(target: string): string[] {
    if (this.#target === target) return [];
    const first = this.#target === null;
    this.#target = target;
    const head = this.#heads.get(target);
    this.#heads.delete(target);
    return head !== undefined ? [head] : first ? [] : [this.#options.style.bold(target)];
  }
}

function key(event: { target: string; id: string; ordinal: number }): string {
  return `${event.target}\n${event.id}\n${event.ordinal}`;
}

/** What is done next for a lock that could not be had. A look is told of now and then alone: when the next one is says nothing. */
function nextOf({
  attempt,
  delayMs,
  keptOutMs,
}: Extract<GodwitEvent, { type: "migration.retrying" }>): string {
  if (keptOutMs === null) return `attempt ${attempt + 1} in ${formatDuration(delayMs)}`;
  return keptOutMs < 1000 ? "stays out of the queue" : `out of the queue for ${formatDuration(keptOutMs)}`;
}
