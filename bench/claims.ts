import { CLAIMED_MIGRATIONS } from "./options.ts";
import { medianOf, type ScenarioResult } from "./results.ts";
import { CROWD } from "./scenarios/crowd.ts";
import { MEMORY_NAME } from "./scenarios/memory.ts";
import { noopName, SCRIPT } from "./scenarios/noop.ts";

/** A promise about speed, held against what was measured. */
export interface Claim {
  readonly claim: string;
  readonly measured: string;
  readonly limit: string;
  /** null: not measured. */
  readonly met: boolean | null;
}

const PSQL_RATIO = 1.1;
const SCRIPT_RATIO = 1.4;
const MANY_MS = 200;
/** Where the script of the comparison takes so long, the 200 ms hold; on another machine they scale with it. */
const MANY_SCRIPT_MS = 45;
const CROWD_RATIO = 1.3;
const MEMORY_MB = 200;
const SLOWER_PEERS = [
  "sql-migrate",
  "postgres-migrations",
  "node-pg-migrate",
  "knex",
  "umzug",
  "drizzle",
  "alembic",
  "dbmate",
];
const THOUSAND = "1 000 migrations, a table and an index each";

/** Every claim, judged by the medians; in the order of the documentation. */
export function judge(results: readonly ScenarioResult[]): Claim[] {
  const find = (scenario: string): ScenarioResult | undefined =>
    results.find((result) => result.scenario === scenario);
  const apply = find("apply");
  const noop = find("noop");
  const crowd = find("crowd");
  const comparable = apply?.migrations === CLAIMED_MIGRATIONS ? apply : undefined;
  const godwit = medianOf(comparable, "godwit");
  const psql = medianOf(comparable, "psql");
  const script = medianOf(noop, SCRIPT);
  const few = medianOf(noop, noopName(100));
  const many = medianOf(noop, noopName(10_000));
  return [
    ratio(`${THOUSAND}: at most ${PSQL_RATIO.toFixed(2)} × psql`, godwit, psql, PSQL_RATIO),
    ...SLOWER_PEERS.map((name) =>
      faster(`${THOUSAND}: faster than ${name}`, godwit, medianOf(comparable, name)),
    ),
    ratio(
      `\`up\` with nothing pending (100 applied): at most ${SCRIPT_RATIO} × a bundled script that connects and selects`,
      few,
      script,
      SCRIPT_RATIO,
    ),
    below(
      `\`up\` with nothing pending, 10 000 applied: at most ${MANY_MS} ms where the script takes ${MANY_SCRIPT_MS}`,
      many,
      script === null ? null : (MANY_MS * script) / MANY_SCRIPT_MS,
      "ms",
    ),
    ratio(
      `the last of 50 \`up\` at once with 100 pending: at most ${CROWD_RATIO} × (one alone + the last of 50 scripts at once)`,
      medianOf(crowd, CROWD.together),
      floorOf(medianOf(crowd, CROWD.alone), medianOf(crowd, CROWD.connecting)),
      CROWD_RATIO,
    ),
    below(
      "memory of `up` with 10 000 applied files: under 200 MB",
      medianOf(find("memory"), MEMORY_NAME),
      MEMORY_MB,
      "MB",
    ),
  ];
}

/** What starting so many processes and doing the work once cannot be faster than. */
function floorOf(alone: number | null, connecting: number | null): number | null {
  return alone === null || connecting === null ? null : alone + connecting;
}

/** The claim again as it stands in a table: `yes`, `no`, or `not measured`. */
export function verdict({ met }: Claim): string {
  return met === null ? "not measured" : met ? "yes" : "**no**";
}

function ratio(claim: string, ours: number | null, theirs: number | null, limit: number): Claim {
  const limitText = `${limit.toFixed(2)} ×`;
  if (ours === null || theirs === null) return { claim, measured: "–", limit: limitText, met: null };
  const found = ours / theirs;
  const measured = `${found.toFixed(2)} × (${ours.toFixed(0)} ms / ${theirs.toFixed(0)} ms)`;
  return { claim, measured, limit: limitText, met: found <= limit };
}

function faster(claim: string, ours: number | null, theirs: number | null): Claim {
  const met = ours === null || theirs === null ? null : ours < theirs;
  return { claim, measured: quantity(ours, "ms"), limit: quantity(theirs, "ms"), met };
}

function below(claim: string, ours: number | null, limit: number | null, unit: string): Claim {
  const met = ours === null || limit === null ? null : ours <= limit;
  return { claim, measured: quantity(ours, unit), limit: quantity(limit, unit), met };
}

function quantity(value: number | null, unit: string): string {
  return value === null ? "–" : `${value.toFixed(0)} ${unit}`;
}
