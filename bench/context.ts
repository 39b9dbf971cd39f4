import type { BenchOptions } from "./options.ts";
import type { Peer } from "./peer.ts";
import type { QuietGate } from "./quiet.ts";
import type { BenchServer } from "./server.ts";

/** What every scenario is given. */
export interface BenchContext {
  readonly server: BenchServer;
  readonly options: BenchOptions;
  /** The peers that could be installed, in order, with their versions. */
  readonly peers: readonly InstalledPeer[];
  /** To be waited for before each measurement of time. */
  readonly quiet: QuietGate;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

export interface InstalledPeer {
  readonly peer: Peer;
  readonly version: string;
}
