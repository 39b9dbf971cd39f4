import { closeSync, fstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Script } from "node:vm";

/** A script that was run, and what V8 compiled of it. */
export interface CachedScript {
  /** What its last expression gave. */
  readonly value: unknown;
  /** Keeps what is compiled by now for the next process, if it found nothing kept; never throws. */
  save(): void;
}

/**
 * Runs a script of ours with the compiled code that an earlier process kept. Node's own cache is filled before a module runs, when
 * V8 has compiled next to nothing of it: four hundred functions were compiled again in every run, a sixth of its time.
 * This one is filled when the process ends.
 * @param path absolute path of the script, whose text is ASCII; there is no `import()` in it.
 * @param cache where the code is kept; its name must change with the text of the script. null: nowhere.
 */
export function runCachedScript(path: string, cache: string | null): CachedScript {
  const cachedData = cache === null ? undefined : readOwn(cache);
  const script = new Script(readFileSync(path, "latin1"), {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isKept = cachedData !== undefined && script.cachedDataRejected === false;
  return {
    value: script.runInThisContext(),
    save() {
      if (cache !== null && !isKept) write(cache, script.createCachedData());
    },
  };
}

/** Compiled code is run as it is: it is read only where nobody but this user could have put it. */
function readOwn(path: string): Buffer | undefined {
  try {
    const file = openSync(path, "r");
    try {
      const { uid, mode } = fstatSync(file);
      const isOwn = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
      return isOwn ? readFileSync(file) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Others see the whole of it or nothing. */
function write(path: string, data: Buffer): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, data, { mode: 0o600, flag: "wx" });
    renameSync(unfinished, path);
  } catch {
    rmSync(unfinished, { force: true });
  }
}
