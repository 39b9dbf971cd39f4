import type { Command } from "./command.ts";

/** Where and on what a peer works in one run. */
export interface PeerTarget {
  /** A postgres:// URL of a database of its own. */
  readonly databaseUrl: string;
  /** The folder that generate() filled. */
  readonly folder: string;
}

/** What installing may use. */
export interface InstallContext {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** A tool that is measured. Each applies the same statements, in a transaction per migration where it lets us choose. */
export interface Peer {
  readonly name: string;
  /** One line for the report: how it is run, and where its behaviour differs from one transaction per migration. */
  readonly how: string;
  /** Makes it runnable here. @throws PeerUnavailable saying why it cannot be. */
  install(context: InstallContext): Promise<void>;
  /** What was really installed. */
  version(context: InstallContext): Promise<string>;
  /** Writes `count` migrations in the peer's format into an empty folder. */
  generate(folder: string, count: number): Promise<void>;
  /** Applies them all. */
  apply(target: PeerTarget): Command;
  /** The same once nothing is pending; null for what is no migration tool. */
  noop(target: PeerTarget): Command | null;
  /** A query for the number of applied migrations in the peer's own history. */
  readonly historyCount: string;
}
