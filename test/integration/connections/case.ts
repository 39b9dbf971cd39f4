import type { World } from "./world.ts";

export interface CaseFile {
  readonly text: string;
  /** Permissions; 0600 if absent. */
  readonly mode?: number;
}

/** One way to say how to connect, which psql and Godwit must understand alike. */
export interface ConnectionCase {
  readonly name: string;
  readonly conninfo?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files by their path in the home folder. */
  readonly files?: Readonly<Record<string, CaseFile>>;
  /** Something the answer must contain, so that two equal mistakes do not pass. */
  readonly expect?: string | RegExp;
  /** Both must fail; what Godwit says, and where psql is known to say it differently, what psql says. */
  readonly fails?: RegExp;
  readonly psqlFails?: RegExp;
  /** Major version of libpq since which this is so; an older psql is not asked. */
  readonly libpq?: number;
  /** Major version of the server that the case needs. */
  readonly server?: number;
}

export type Cases = (world: World) => readonly ConnectionCase[];
