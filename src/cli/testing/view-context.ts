import { styleFor } from "../style.ts";
import type { ViewContext } from "../verb.ts";

/** A view without colour on an endless line, at 2026-03-01 12:00 UTC, with what differs. */
export function viewContextOf(more: Partial<ViewContext> = {}): ViewContext {
  return {
    style: styleFor(false),
    width: 0,
    now: Date.parse("2026-03-01T12:00:00Z"),
    cwd: "/project",
    verbose: false,
    quiet: false,
    next: (rest) => `godwit ${rest}`,
    ...more,
  };
}
