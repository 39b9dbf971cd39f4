import { randomOf } from "./random.ts";
import { EMBEDDED_MAJORS, type EmbeddedMajor } from "../../src/postgres/embedded/packages.ts";

/** How much chaos there is. Every number can be given as an environment variable, which `npm run test:chaos` sets from its options. */
export interface ChaosOptions {
  /** The same one gives the same schedule of faults. */
  readonly seed: number;
  /** How often everything is done; each time with a seed of its own, drawn from the first. */
  readonly rounds: number;
  /** How many processes start at once. */
  readonly processes: number;
  /** Of PostgreSQL. */
  readonly majors: readonly EmbeddedMajor[];
  /** Everything on each of the servers; otherwise each thing on one of them, which is what continuous integration has time for. */
  readonly full: boolean;
}

export function chaosOptions(env: Readonly<Record<string, string | undefined>>): ChaosOptions {
  const majors = (env["GODWIT_CHAOS_MAJORS"] ?? "14,18").split(",").map(Number);
  const known = EMBEDDED_MAJORS.filter((major) => majors.includes(major));
  if (known.length !== majors.length)
    throw new Error(`GODWIT_CHAOS_MAJORS: ${majors.join(",")} are not all known`);
  return {
    seed: wholeNumber(env, "GODWIT_CHAOS_SEED", 20_260_101),
    rounds: wholeNumber(env, "GODWIT_CHAOS_ROUNDS", 1),
    processes: wholeNumber(env, "GODWIT_CHAOS_PROCESSES", 50),
    majors: known,
    full: env["GODWIT_CHAOS_FULL"] === "1",
  };
}

/** The seeds of the rounds. */
export function seedsOf({ seed, rounds }: ChaosOptions): number[] {
  const next = randomOf(seed);
  return Array.from({ length: rounds }, () => Math.floor(next() * 2 ** 32));
}

function wholeNumber(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: number,
): number {
  const text = env[name];
  if (text === undefined || text === "") return otherwise;
  if (!/^\d+$/.test(text)) throw new Error(`${name} is ${text}; it must be a whole number`);
  return Number(text);
}
