import { GodwitError } from "../core/error.ts";
import { statementsOf } from "../plan/steps.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { isWhole } from "./whole/whole.ts";

const HINT =
  "name the server itself for it: direct_url in the configuration, or --direct-url postgresql://user@server:5432/database";

/**
 * Refuses what needs a session of its own: through a pooler, which hands sessions to others between transactions, only
 * migrations that are one transaction each can go.
 * @throws GodwitError POOLER_NEEDS_DIRECT_URL with the place of each.
 */
export function assertPoolable(migrations: readonly PlannedMigration[]): void {
  const problems = needsOwnSession(migrations);
  if (problems.length === 1) throw problems[0]!;
  if (problems.length === 0) return;
  throw new GodwitError(
    "POOLER_NEEDS_DIRECT_URL",
    `the connection goes through a pooler, and ${problems.length} migrations need a session of their own`,
    { problems, hint: HINT },
  );
}

/** What of a plan cannot go through a pooler: an error POOLER_NEEDS_DIRECT_URL for each such migration, with its place and a hint. */
function needsOwnSession(migrations: readonly PlannedMigration[]): GodwitError[] {
  return migrations.flatMap((planned) => {
    const problem = obstacleOf(planned);
    return problem === null ? [] : [problem];
  });
}

function obstacleOf(planned: PlannedMigration): GodwitError | null {
  const { id } = planned;
  if (planned.steps.some((step) => step.kind === "code" && !step.transaction)) {
    return refusal(`${id}: its code runs outside a transaction`, planned, null);
  }
  const all = planned.steps.flatMap(statementsOf);
  const alone = planned.steps.find((step) => step.kind === "standalone");
  if (alone?.kind === "standalone") {
    const { tag, line, column, transactionReason } = alone.statement;
    // Only the reason tells CREATE INDEX CONCURRENTLY from CREATE INDEX; where the catalog decides there is none.
    const why = transactionReason ?? `this ${tag} cannot run inside a transaction block`;
    return refusal(`${id}: ${why}`, planned, { line, column });
  }
  const prepared = all.find((statement) => statement.sessionEffect === "prepare");
  if (prepared !== undefined) {
    const { tag, line, column } = prepared;
    return refusal(`${id}: ${tag} leaves something in the session`, planned, { line, column });
  }
  return isWhole(planned) ? null : refusal(`${id}: it runs in several steps`, planned, null);
}

function refusal(
  what: string,
  { path, id }: PlannedMigration,
  at: { readonly line: number; readonly column: number } | null,
): GodwitError {
  return new GodwitError(
    "POOLER_NEEDS_DIRECT_URL",
    `${what}, and the connection goes through a pooler, which hands sessions to others between transactions`,
    { hint: HINT, ...(at === null ? {} : { location: { file: path ?? id, ...at } }) },
  );
}
