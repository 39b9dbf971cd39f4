import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/**
 * A new run id: a UUID of version 7 (RFC 9562), so that ids sort by the time they were made.
 * It is an id, not a clock: what happened when is read from the database's clock alone.
 */
export function newRunId(): string {
  const bytes = systemRandom(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Straight from the system where it has a file for that: loading node:crypto takes some milliseconds of the start of every run. */
function systemRandom(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    const file = openSync("/dev/urandom", "r");
    try {
      if (readSync(file, bytes) === length) return bytes;
    } finally {
      closeSync(file);
    }
  } catch {
    // No such file on this system.
  }
  return randomBytes(length);
}
