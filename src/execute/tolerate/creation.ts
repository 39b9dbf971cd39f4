import type { Session } from "../../postgres/session.ts";
import type { Scratch } from "./scratch.ts";

/** An object that is there already. */
export interface Existing {
  readonly oid: string;
  /** What people call it: `table public.orders`. */
  readonly name: string;
  /** Schema that it lies in, or that of its table; null: it lies in none. */
  readonly schema: string | null;
  /** One character of the catalog that tells its kind, where names are shared between kinds. */
  readonly kind?: string;
  /**
   * For a statement that makes several objects of which some are not there: `run`, since it skips the others by itself;
   * `split`, since it would fail. Left out: all that the statement makes is there.
   */
  readonly rest?: "run" | "split";
}

/** What a statement makes, so that it can be found and compared. One kind of object a file; see `kinds.ts`. */
export interface Creation {
  /** Finds what the statement would collide with, by pure reads of the catalog that lock nothing. null: nothing. */
  lookup(session: Session): Promise<Existing | null>;
  /**
   * Compares it with what the statement makes in the scratch; takes no lock on it stronger than ACCESS SHARE.
   * @returns the lines in which they differ; null if the statement makes another object beside it (an overloaded function).
   * @throws NotComparable; the server's error.
   */
  differences(scratch: Scratch, existing: Existing): Promise<readonly string[] | null>;
}

/** That an object cannot be compared with what a statement makes, and why. */
export class NotComparable extends Error {}
