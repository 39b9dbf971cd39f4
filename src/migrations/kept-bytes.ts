import type { MigrationFile } from "./types.ts";

/** A thousand usual files; what is read anew beyond that costs less than keeping all of a long history. */
const MOST_BYTES = 256 * 1024;

const kept = new WeakMap<MigrationFile, Buffer>();

/**
 * Keeps what a listing has read, so that the files that turn out to be pending are not read a second time: opening a
 * file takes longer than parsing it.
 */
export class ByteKeeper {
  #slab: Buffer | null = null;
  #used = 0;

  /** Copies the bytes of a file of SQL while there is room. */
  keep(file: MigrationFile, bytes: Uint8Array): void {
    if (this.#used + bytes.length > MOST_BYTES) return;
    this.#slab ??= Buffer.allocUnsafe(MOST_BYTES);
    this.#slab.set(bytes, this.#used);
    kept.set(file, this.#slab.subarray(this.#used, this.#used + bytes.length));
    this.#used += bytes.length;
  }
}

/** The bytes of a file's text as they were when its checksum was taken; null where they were not kept. */
export function keptBytes(file: MigrationFile): Buffer | null {
  return kept.get(file) ?? null;
}
