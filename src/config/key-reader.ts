import { parseDuration } from "../core/duration.ts";
import { isGodwitError } from "../core/error.ts";
import type { GodwitError } from "../core/error.ts";
import { expand } from "./expand.ts";
import { locateError, problemAt } from "./problems.ts";
import { showPath } from "./source.ts";
import type { ConfigSource, KeyPath } from "./source.ts";

/** PostgreSQL keeps its timeouts as a signed 32-bit count of milliseconds. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/** Reads the values of keys and collects what is wrong with them, so that all of it can be told in one go. */
export class KeyReader {
  readonly problems: GodwitError[] = [];
  readonly #source: ConfigSource;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(source: ConfigSource, env: Readonly<Record<string, string | undefined>>) {
    this.#source = source;
    this.#env = env;
  }

  /** Records a problem of a key. */
  report(path: KeyPath, what: string, hint?: string): void {
    this.problems.push(problemAt(this.#source, path, what, hint));
  }

  /** The result of `work`; records its GodwitError at the key and gives null. */
  attempt<T>(path: KeyPath, work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (!isGodwitError(error)) throw error;
      this.problems.push(locateError(this.#source, path, error));
      return null;
    }
  }

  /** A text with its variables expanded; null when it is not given or recorded as a problem. */
  text(path: KeyPath, value: string | undefined): string | null {
    if (value === undefined) return null;
    const text = this.attempt(path, () => expand(value, this.#env, showPath(path)));
    if (text === null || text.trim() !== "") return text;
    this.report(path, "is empty", "give it a value, or remove the key");
    return null;
  }

  /** Milliseconds; null when not given or recorded as a problem. */
  duration(path: KeyPath, value: string | 0 | undefined, least: 0 | 1): number | null {
    const text = this.text(path, value === 0 ? "0" : value);
    if (text === null) return null;
    const ms = this.attempt(path, () => parseDuration(text, showPath(path)));
    if (ms === null) return null;
    if (ms < least) this.report(path, "must be above zero", "a short limit keeps others working: 500ms");
    if (ms > LONGEST_TIMEOUT_MS) this.report(path, "is longer than PostgreSQL can count", "at most 24d");
    return ms;
  }
}
