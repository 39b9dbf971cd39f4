import { closeSync, openSync, readSync } from "node:fs";

/** What is read in one go; nearly every migration is smaller. */
const USUAL_BYTES = 64 * 1024;
/** Beyond this a file is data, not a migration, and would not fit into one string either. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Reads many small files one after another through one buffer, so that ten thousand of them leave no garbage. */
export class FileReader {
  readonly #buffer = Buffer.allocUnsafe(USUAL_BYTES);

  /**
   * Reads a file whole.
   * @returns its bytes, valid until the next call; null when it is larger than MAX_FILE_BYTES.
   * @throws the error of node:fs when it cannot be read.
   */
  read(path: string): Buffer | null {
    const descriptor = openSync(path, "r");
    try {
      let buffer = this.#buffer;
      let length = 0;
      // A short read is no proof of the end on every file system; only a read of nothing is.
      for (;;) {
        const count = readSync(descriptor, buffer, length, buffer.length - length, null);
        if (count === 0) return buffer.subarray(0, length);
        length += count;
        if (length > MAX_FILE_BYTES) return null;
        if (length === buffer.length) {
          const larger = Buffer.allocUnsafe(buffer.length * 4);
          buffer.copy(larger, 0, 0, length);
          buffer = larger;
        }
      }
    } finally {
      closeSync(descriptor);
    }
  }
}
