import type { OutputStream } from "../io.ts";
import { errorToJson, snakeObject } from "../json/snake-case.ts";
import { maskSecrets } from "../../core/mask-secrets.ts";
import type { Reporter } from "./reporter.ts";

/**
 * One JSON object a line, in snake_case: every event with `time` (the clock of this machine) in front,
 * and `{"type":"error"}` with `code`, `message`, `hint` … for the error that ends the command.
 */
export function ndjsonReporter(out: OutputStream, now: () => number): Reporter {
  const line = (fields: Record<string, unknown>) => {
    out.write(`${JSON.stringify({ time: new Date(now()).toISOString(), ...fields })}\n`);
  };
  return {
    event(event) {
      const shown = event.type === "statement.started" ? { ...event, sql: maskSecrets(event.sql) } : event;
      line(snakeObject(shown));
    },
    error(error) {
      line({ type: "error", ...errorToJson(error) });
    },
    remark(text) {
      line({ type: "remark", message: text });
    },
    close() {},
  };
}
