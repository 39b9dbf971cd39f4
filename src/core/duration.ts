import { GodwitError } from "./error.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration written as PostgreSQL writes it: `500ms`, `2s`, `5min`, `1h`, `1d`; `0` is zero.
 * @param what names the option or key in the error.
 * @returns whole milliseconds.
 * @throws GodwitError CONFIG_INVALID for anything else, a bare number above zero included.
 */
export function parseDuration(text: string, what: string): number {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$/.exec(trimmed);
  const unit = match?.[2] === undefined ? undefined : UNIT_MS[match[2]];
  if (match?.[1] === undefined || unit === undefined) {
    throw new GodwitError("CONFIG_INVALID", `${what}: "${text}" is not a duration`, {
      hint: "write a number and a unit: 500ms, 2s, 5min, 1h",
    });
  }
  return Math.round(Number(match[1]) * unit);
}

/** Shows milliseconds as a person reads them: `0.4 ms`, `12 ms`, `3.2 s`, `2 min 5 s`, `1 h 4 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
