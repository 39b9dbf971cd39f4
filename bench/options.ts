import { parseArgs } from "node:util";
import { BenchError } from "./bench-error.ts";

export const SCENARIOS = ["apply", "noop", "crowd", "memory"] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** Names of peers; null: all. */
  readonly peers: readonly string[] | null;
  /** Migrations in the scenario `apply`. */
  readonly migrations: number;
  /** Repetitions; null: what each scenario finds enough. */
  readonly runs: number | null;
  /** Whether to keep the results and the tables in docs. */
  readonly write: boolean;
  /** Whether a claim that is not met fails the bench. */
  readonly check: boolean;
}

export const CLAIMED_MIGRATIONS = 1000;

export const USAGE = `Measures Godwit beside other tools on one throw-away PostgreSQL 18.

  npm run bench -- [options]

  --only apply|noop|crowd|memory
                             one scenario; may be repeated (default: all)
  --peers NAME,NAME          only these peers (default: all)
  --migrations N             migrations in "apply" (default: ${CLAIMED_MIGRATIONS}, which the claims are about)
  --runs N                   repetitions (default: 5, and 25 for noop)
  --write                    keep the results in bench/results and the tables in docs/benchmarks.md
  --no-check                 end with 0 even if a claim is not met
  --help                     this text
`;

/**
 * @returns null when the help was asked for.
 * @throws BenchError for options that mean nothing.
 */
export function parseOptions(argv: readonly string[], peerNames: readonly string[]): BenchOptions | null {
  const values = parse(argv);
  if (values.help === true) return null;
  const scenarios = values.only ?? [...SCENARIOS];
  const unknownScenario = scenarios.find((name) => !isScenario(name));
  if (unknownScenario !== undefined) {
    throw new BenchError(`--only ${unknownScenario}: there is ${SCENARIOS.join(", ")}`);
  }
  const peers = values.peers?.split(",").filter((name) => name !== "") ?? null;
  const unknownPeer = peers?.find((name) => !peerNames.includes(name));
  if (unknownPeer !== undefined)
    throw new BenchError(`--peers ${unknownPeer}: there is ${peerNames.join(", ")}`);
  if (peers?.length === 0) throw new BenchError("--peers names no peer");
  return {
    scenarios: SCENARIOS.filter((name) => scenarios.includes(name)),
    peers,
    migrations: wholeNumber("--migrations", values.migrations) ?? CLAIMED_MIGRATIONS,
    runs: wholeNumber("--runs", values.runs),
    write: values.write === true,
    check: values["no-check"] !== true,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: "string", multiple: true },
        peers: { type: "string" },
        migrations: { type: "string" },
        runs: { type: "string" },
        write: { type: "boolean" },
        "no-check": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new BenchError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function wholeNumber(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new BenchError(`${option} ${text}: a whole number from 1 on is needed`);
  return Number(text);
}

function isScenario(name: string): name is Scenario {
  return (SCENARIOS as readonly string[]).includes(name);
}
