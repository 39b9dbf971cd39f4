import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GodwitError } from "../../core/error.ts";
import type { GodwitEvent } from "../../core/events.ts";
import { styleFor } from "../style.ts";
import { MemoryStream } from "../testing/fake-cli.ts";
import { EVENTS, failed, progress, started } from "../testing/sample-events.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { textWidth } from "../text-width.ts";
import { ndjsonReporter } from "./ndjson.ts";
import { plainReporter, type TextReporterOptions } from "./plain.ts";
import { silentReporter } from "./silent.ts";
import { terminalReporter } from "./terminal.ts";

beforeEach(() => vi.useFakeTimers({ now: Date.parse("2026-03-01T12:00:00Z") }));
afterEach(() => vi.useRealTimers());

function options(out: MemoryStream, more: Partial<TextReporterOptions> = {}): TextReporterOptions {
  return { out, style: styleFor(false), context: viewContextOf(), quiet: false, now: Date.now, ...more };
}

const STORY = [
  "shop: shop on 127.0.0.1:5432, PostgreSQL 18.4",
  "+ 20260101_users  Users and sessions                                                             1/1",
  "      notice: something of note",
  "    CREATE TABLE users ( id int )                                                               4 ms",
  "    INSERT INTO users SELECT 1                                                   12 000 rows  1.5 s",
  "  ✓ applied                                                                                    1.5 s",
];

describe("the plain reporter", () => {
  it("tells each migration and statement with its time", () => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    for (const event of EVENTS) reporter.event(event);
    reporter.close();
    const lines = out.text.trimEnd().split("\n");
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual(
      STORY.map((line) => line.replaceAll(/ {2,}/g, "  ")),
    );
    expect(
      lines
        .slice(1)
        .filter((line) => !line.includes("notice"))
        .map(textWidth),
    ).toEqual([100, 100, 100, 100]);
  });

  it.each([
    [false, "again, since it failed before"],
    [true, "again, going on where it stopped"],
  ])("tells why a migration runs again (resumes: %s)", (resumes, told) => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    for (const event of EVENTS)
      reporter.event(event.type === "migration.started" ? { ...event, retry: true, resumes } : event);
    reporter.close();
    expect(out.text).toContain(told);
  });

  it.each([
    ["failed, rolled back", true, [started(1, "VACUUM t", "VACUUM")]],
    ["failed, part of it is done", false, EVENTS.slice(0, -1)],
    ["failed  ", false, [started(1, "VACUUM t", "VACUUM")]],
  ])("says %j, and that part of it is done only if it is", (told, rolledBack, before) => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    for (const event of before) if (event.type !== "migration.finished") reporter.event(event);
    reporter.event({ ...failed, rolledBack } as typeof failed);
    reporter.close();
    expect(out.text).toContain(`✗ ${told}`);
  });

  it.each([
    [null, "; attempt 3 in 250 ms"],
    [4, "; stays out of the queue"],
    [2100, "; out of the queue for 2.1 s"],
  ])("tells attempts at a lock from looks at it (%j)", (keptOutMs, told) => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    const retrying = { type: "migration.retrying", attempt: 2, delayMs: 250, reason: "t is in use" };
    reporter.event({ ...failed, ...retrying, keptOutMs } as unknown as GodwitEvent);
    expect(out.text).toContain(`    ↻ t is in use${told}\n`);
  });

  it("writes no escape sequence without colour", () => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    for (const event of [...EVENTS, failed, progress(20_000, null)]) reporter.event(event);
    reporter.error(new GodwitError("MIGRATION_FAILED", "broken"));
    vi.advanceTimersByTime(60_000);
    reporter.close();
    expect(out.text).not.toContain("\u001b");
  });

  it("tells a long statement again every ten seconds", () => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    reporter.event(started(1, "CREATE INDEX CONCURRENTLY i ON users (id)", "CREATE INDEX"));
    vi.advanceTimersByTime(9000);
    expect(out.text).toBe("");
    reporter.event(progress(9000, 50_000));
    vi.advanceTimersByTime(26_000);
    reporter.close();
    vi.advanceTimersByTime(60_000);
    expect(out.text.trimEnd().split("\n")).toEqual([
      "    … CREATE INDEX CONCURRENTLY i ON users (id)  10.0 s  building index, 25 % of 200 000",
      "    … CREATE INDEX CONCURRENTLY i ON users (id)  20.0 s  building index, 25 % of 200 000",
      "    … CREATE INDEX CONCURRENTLY i ON users (id)  30.0 s  building index, 25 % of 200 000",
    ]);
  });

  it("says at once that it waits for a lock or the database, and who holds it", () => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    for (const elapsedMs of [0, 500, 1000]) {
      reporter.event({
        type: "lock.waiting",
        target: "shop",
        holder: "bob on ci-7",
        pending: null,
        elapsedMs,
      });
    }
    expect(out.text).toBe("    … waiting for another run to finish  0.0 ms  held by bob on ci-7\n");
    reporter.close();
  });

  it("tells only errors when quiet", () => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out, { quiet: true }));
    for (const event of EVENTS) reporter.event(event);
    reporter.remark("`godwit migrate` is `godwit up`");
    expect(out.text).toBe("");
    reporter.error(new GodwitError("MIGRATION_FAILED", "broken"));
    expect(out.text).toBe("error[MIGRATION_FAILED]: broken\n");
    reporter.close();
  });

  it("names the target when the next line is another's", () => {
    const out = new MemoryStream();
    const reporter = plainReporter(options(out));
    for (const event of EVENTS.slice(1, 5)) reporter.event(event);
    reporter.event({
      type: "notice",
      target: "tenant/acme",
      id: "x",
      direction: "up",
      severity: "NOTICE",
      message: "m",
    });
    reporter.close();
    expect(out.text).toContain("\ntenant/acme\n      notice: m\n");
  });
});

describe("the terminal reporter", () => {
  it("redraws one line for what takes long, and removes it", () => {
    const out = new MemoryStream(80);
    const reporter = terminalReporter(options(out));
    reporter.event(
      started(1, `CREATE INDEX CONCURRENTLY i ON users (${"column_name, ".repeat(9)}id)`, "CREATE INDEX"),
    );
    vi.advanceTimersByTime(900);
    expect(out.text).toBe("");
    vi.advanceTimersByTime(600);
    reporter.event(progress(1500, null));
    vi.advanceTimersByTime(400);
    const drawn = out.text.split("\r\u001b[2K");
    expect(drawn.length).toBeGreaterThan(2);
    for (const line of drawn) expect(textWidth(line)).toBeLessThan(80);
    expect(drawn.at(-1)).toContain("building index, waiting for backend 4711 (shop-api)");
    expect(out.text).not.toContain("\n");
    reporter.close();
    expect(out.text.endsWith("\r\u001b[2K")).toBe(true);
  });

  it("draws nothing for what is quick, and the same lines as a log", () => {
    const out = new MemoryStream(100);
    const reporter = terminalReporter(options(out));
    for (const event of EVENTS) reporter.event(event);
    vi.advanceTimersByTime(5000);
    reporter.close();
    expect(out.text).not.toContain("\r");
    expect(out.text.trimEnd().split("\n")).toHaveLength(STORY.length);
  });
});

describe("the NDJSON reporter", () => {
  it("writes one object a line in snake_case, with the time", () => {
    const out = new MemoryStream();
    const reporter = ndjsonReporter(out, Date.now);
    for (const event of [...EVENTS, failed]) reporter.event(event);
    reporter.error(new GodwitError("MIGRATION_FAILED", "broken", { hint: "mend it" }));
    reporter.close();
    const lines: Record<string, unknown>[] = out.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(EVENTS.length + 2);
    expect(lines[0]).toEqual({
      time: "2026-03-01T12:00:00.000Z",
      type: "run.started",
      run_id: "0190c1a0-0000-7000-8000-000000000001",
      command: "up",
    });
    expect(lines.at(-2)).toMatchObject({
      type: "migration.failed",
      rolled_back: true,
      error: { code: "MIGRATION_FAILED" },
    });
    expect(lines.at(-1)).toMatchObject({ type: "error", code: "MIGRATION_FAILED", hint: "mend it" });
  });

  it("keeps passwords out", () => {
    const out = new MemoryStream();
    ndjsonReporter(out, Date.now).event(started(1, "CREATE ROLE a PASSWORD 's3cret'", "CREATE ROLE"));
    expect(out.text).not.toContain("s3cret");
  });
});

describe("the silent reporter", () => {
  it("is silent", () => {
    const reporter = silentReporter();
    for (const event of EVENTS) reporter.event(event);
    reporter.close();
    expect(Object.keys(reporter)).toEqual(["event", "error", "remark", "close"]);
  });
});
