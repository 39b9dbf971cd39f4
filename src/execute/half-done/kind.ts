import type { StepNote } from "../../history/types.ts";
import type { PlannedMigration } from "../../plan/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { Statement } from "../../sql/types.ts";
import type { ExecutionContext } from "../context.ts";

/** A statement that stands alone, where it is about to be run or has been. */
export interface Scene {
  readonly context: ExecutionContext;
  readonly planned: PlannedMigration;
  readonly statement: Statement;
}

/** What an earlier run left in the history of a statement that it began. */
export interface Past {
  /** What `note` said before it was run; null: nothing was noted. */
  readonly note: StepNote | null;
  /** The server reported an error for it. */
  readonly reported: boolean;
}

/** What became of a statement that was begun, with the reason for people. `unclear`: only a person can tell. */
export interface Verdict {
  readonly outcome: "done" | "not done" | "unclear";
  readonly because: string;
}

/** What the catalog tells of one kind of statement that stands alone (law 5). */
export interface Kind<Act> {
  /** What of its objects is worth remembering before it is run, to tell later what it did itself. Reads only. */
  note?(session: Session, act: Act): Promise<StepNote | null>;
  /**
   * Called before a statement that nobody is known to have begun: clears away what another tool left half done and would make
   * it fail or be skipped.
   * @returns what became of it, if that is settled already.
   */
  prepare?(scene: Scene, act: Act): Promise<Verdict | null>;
  /**
   * What became of a statement that an earlier run began; its session is gone. What is half done is cleared away or
   * completed.
   */
  settle(scene: Scene, act: Act, past: Past): Promise<Verdict>;
}

export function done(because: string): Verdict {
  return { outcome: "done", because };
}

export function notDone(because: string): Verdict {
  return { outcome: "not done", because };
}

export function unclear(because: string): Verdict {
  return { outcome: "unclear", because };
}
