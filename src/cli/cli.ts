import type { Godwit, GodwitOptions } from "../api/types.ts";
import type { Io } from "./io.ts";

/** What the command line runs in. */
export interface Cli {
  readonly io: Io;
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  readonly createGodwit: (options: GodwitOptions) => Promise<Godwit>;
}
