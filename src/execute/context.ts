import type { Emit } from "../core/events.ts";
import type { HistoryWriter } from "../history/writer.ts";
import type { Session } from "../postgres/session.ts";
import type { WorkSettings } from "../postgres/work-session.ts";
import type { Courtesy } from "./courtesy.ts";
import type { StatementWatch } from "./statement-watch.ts";

/** Everything that running a plan on one target needs: the locked session, the right to write history, where to tell. */
export interface ExecutionContext {
  readonly session: Session;
  readonly writer: HistoryWriter;
  readonly work: WorkSettings;
  readonly emit: Emit;
  readonly target: string;
  readonly stream: string;
  readonly runId: string;
  readonly signal: AbortSignal | undefined;
  readonly watch: StatementWatch;
  readonly courtesy: Courtesy;
  /** Statements that took long in migrations whose entry was sent before their outcome was known; told at the end of the run. */
  readonly slowStatements: Readonly<Record<string, unknown>>[];
  /** What the code migration that runs has said, for its entry in the history. */
  readonly messages: string[];
  /** `search_path` of the target, ready for SET; null: the server's default. */
  readonly searchPath: string | null;
  /** For a whole migration: how long its transaction is tried again for locks, in milliseconds. */
  readonly lockRetryMs: number;
}
