import { formatDuration } from "../../core/duration.ts";
import { count } from "../reporters/statement-label.ts";
import { oneLine } from "../text-width.ts";

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`; for dates of the future, which clocks that differ make, `just now` too. */
export function ago(iso: string, now: number): string {
  const seconds = Math.floor((now - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 60 * 86_400) return `${Math.floor(seconds / 86_400)} days ago`;
  if (seconds < 730 * 86_400) return `${Math.floor(seconds / (30.44 * 86_400))} months ago`;
  return `${Math.floor(seconds / (365.25 * 86_400))} years ago`;
}

/** A moment of the history in UTC to the second: `2026-01-02 09:00:12Z`. */
export function exactTime(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(iso);
  return match === null ? iso : `${match[1]} ${match[2]}Z`;
}

/** `3 migrations`. */
export function migrations(value: number): string {
  return count(value, "migration");
}

/** A duration that may be unknown. */
export function maybeDuration(ms: number | null): string {
  return ms === null ? "" : formatDuration(ms);
}

/** The name that a session gives itself; one of a holder of Godwit's lock is told by its run, as `history` does. */
export function applicationName(name: string): string {
  const run = /^godwit\/[0-9a-f]{8}\/\d+\/[0-9a-f]*?([0-9a-f]{12})$/.exec(name)?.[1];
  return run === undefined ? oneLine(name) : `godwit, run ${run}`;
}
