import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { GodwitError } from "../core/error.ts";
import { offsetToPosition } from "../sql/position.ts";
import { locate } from "./problems.ts";
import { messageOf } from "./system-error.ts";

/**
 * Reads a migration's file as text, without a byte order mark; line ends stay as they are. Synchronous on purpose: for
 * a thousand small files that takes a tenth of the time of asynchronous calls.
 * @param known its bytes, where they were read before.
 * @throws GodwitError MIGRATION_MALFORMED with the place, for bytes that are not UTF-8 and for NUL characters, which
 *   PostgreSQL cannot store in text; and when the file cannot be read (any more).
 */
export function readText(path: string, known: Buffer | null = null): string {
  const bytes = known ?? readBytes(path);
  if (!isUtf8(bytes)) throw notUtf8(path, bytes);
  const text = bytes.toString("utf8").replace(/^\u{FEFF}/u, "");
  const nul = text.indexOf("\0");
  if (nul !== -1) {
    const { line, column } = offsetToPosition(text, nul);
    throw new GodwitError(
      "MIGRATION_MALFORMED",
      "the file contains a NUL character, which PostgreSQL does not take",
      {
        hint: "remove it; a file full of them was saved as UTF-16",
        location: locate(path, text, line, column),
      },
    );
  }
  return text;
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new GodwitError("MIGRATION_MALFORMED", `${path} cannot be read: ${messageOf(error)}`, {
      hint: "make it readable, or remove it",
      location: { file: path, line: 1, column: 1 },
      cause: error,
    });
  }
}

function notUtf8(path: string, bytes: Buffer): GodwitError {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    const content = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (!isUtf8(content) || end === -1) {
      const shown = content.toString("utf8");
      const { column } = offsetToPosition(shown, Math.max(0, shown.indexOf("\u{FFFD}")));
      return new GodwitError("MIGRATION_MALFORMED", "the file is not valid UTF-8", {
        hint: "save it as UTF-8",
        location: locate(path, bytes.toString("utf8"), line, column),
      });
    }
    line++;
    start = end + 1;
  }
}
