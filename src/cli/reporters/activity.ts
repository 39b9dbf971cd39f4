import { formatDuration } from "../../core/duration.ts";
import type { GodwitEvent } from "../../core/events.ts";
import { groupDigits, statementLabel } from "./statement-label.ts";

/** What a target is busy with right now. */
export interface Activity {
  readonly target: string;
  readonly kind: "statement" | "lock" | "connection";
  readonly label: string;
  /** Of the reporter's clock, in milliseconds. */
  readonly since: number;
  /** The last thing that was told about it, in a few words. */
  readonly detail: string;
}

function waitingDetail(event: Extract<GodwitEvent, { type: "lock.waiting" }>): string {
  const parts: string[] = [];
  if (event.holder !== null) parts.push(`held by ${event.holder}`);
  if (event.pending !== null) parts.push(`${groupDigits(event.pending)} still pending`);
  return parts.join(", ");
}

function progressDetail(event: Extract<GodwitEvent, { type: "statement.progress" }>): string {
  const parts: string[] = [];
  if (event.phase !== null) parts.push(event.phase);
  if (event.done !== null && event.total !== null && event.total > 0) {
    const percent = Math.min(100, Math.floor((100 * event.done) / event.total));
    parts.push(`${percent} % of ${groupDigits(event.total)}`);
  } else if (event.done !== null && event.done > 0) {
    parts.push(groupDigits(event.done));
  }
  if (event.waitingFor !== null) parts.push(`waiting for ${event.waitingFor}`);
  return parts.join(", ");
}

/** Follows what each target is busy with, from the events alone. */
export class ActivityTracker {
  readonly #now: () => number;
  readonly #current = new Map<string, Activity>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The activities of all targets, the longest first. */
  get current(): Activity[] {
    return [...this.#current.values()].sort((a, b) => a.since - b.since);
  }

  /** `CREATE INDEX …, 12.0 s, building index, 43 %`. */
  describe(activity: Activity): string {
    const elapsed = formatDuration(this.#now() - activity.since);
    return [activity.label, elapsed, activity.detail].filter((part) => part !== "").join("  ");
  }

  event(event: GodwitEvent): void {
    switch (event.type) {
      case "statement.started":
        this.#begin(event.target, "statement", statementLabel(event.sql), 0, "");
        break;
      case "statement.progress": {
        const running = this.#current.get(event.target);
        const label =
          running?.kind === "statement" ? running.label : `statement ${event.ordinal} of ${event.id}`;
        this.#begin(event.target, "statement", label, event.elapsedMs, progressDetail(event));
        break;
      }
      case "lock.waiting":
        this.#begin(
          event.target,
          "lock",
          "waiting for another run to finish",
          event.elapsedMs,
          waitingDetail(event),
        );
        break;
      case "connection.waiting":
        this.#begin(event.target, "connection", "waiting for the database", event.elapsedMs, event.reason);
        break;
      case "run.started":
      case "run.finished":
      case "embedded.started":
      case "notice":
      case "blocker.signalled":
      case "warning":
        break;
      case "target.started":
      case "target.finished":
      case "history.upgraded":
      case "lock.acquired":
      case "target.retrying":
      case "target.resumed":
      case "migration.started":
      case "migration.retrying":
      case "migration.finished":
      case "migration.failed":
      case "statement.finished":
      case "statement.skipped":
      case "statement.tolerated":
        this.#current.delete(event.target);
        break;
    }
  }

  #begin(target: string, kind: Activity["kind"], label: string, elapsedMs: number, detail: string): void {
    const before = this.#current.get(target);
    const same = before?.kind === kind && before.label === label;
    this.#current.set(target, {
      target,
      kind,
      label,
      detail,
      since: same ? before.since : this.#now() - elapsedMs,
    });
  }
}
