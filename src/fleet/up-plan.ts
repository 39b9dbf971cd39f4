import { readLog } from "../history/log.ts";
import { readOpenSteps, type HistorySnapshot } from "../history/read.ts";
import type { Graph } from "../migrations/graph.ts";
import { parseMigration } from "../migrations/parse.ts";
import type { PendingSelection } from "../migrations/pending.ts";
import type { Migration, MigrationFile } from "../migrations/types.ts";
import type { Comparison } from "../plan/compare.ts";
import { planUp } from "../plan/plan-up.ts";
import { selectPending } from "../plan/select-pending.ts";
import type { Plan, PlanWarning } from "../plan/types.ts";
import type { Session } from "../postgres/session.ts";
import { readBegun } from "./begun-steps.ts";
import { askCatalog, upSections } from "./catalog-answers.ts";
import type { UpFindings } from "./inspect.ts";
import type { FleetIo } from "./io.ts";
import { pathShower } from "./show-path.ts";
import type { Target } from "./target.ts";

export interface UpPlanRequest {
  readonly files: readonly MigrationFile[];
  readonly snapshot: HistorySnapshot;
  readonly graph: Graph;
  readonly selection: PendingSelection;
  readonly reapply: boolean;
  /** Only these versioned ids; null: all that the selection takes. */
  readonly only: ReadonlySet<string> | null;
  /** Whether repeatables belong to this plan. */
  readonly withRepeatables: boolean;
  /** Migrations parsed before; whatever else is needed is parsed now. */
  readonly parsed: Map<string, Migration>;
  /** Statements that the server has shown to stand alone, by id. */
  readonly alone?: ReadonlyMap<string, ReadonlySet<number>>;
}

/**
 * Plans `up` for one target from what was just read of it. Reads only; works with a role that may only read.
 * @throws GodwitError of `planUp`, `parseMigration` and the graph.
 */
export async function makeUpPlan(
  io: FleetIo,
  session: Session,
  target: Target,
  request: UpPlanRequest,
  findings: UpFindings,
): Promise<Plan> {
  const { comparison } = findings;
  const { graph, parsed, only, selection } = request;
  const byId = new Map(
    request.files.filter((file) => file.kind === "versioned").map((file) => [file.id, file]),
  );
  const versioned: Migration[] = [];
  for (const node of selectPending(graph, target.stream.name, comparison, selection)) {
    if (only !== null && !only.has(node.id)) continue;
    versioned.push(await parsedOnce(parsed, byId.get(node.id)!));
  }
  const { repeatables, warnings } = await chooseRepeatables(session, target, request, comparison);
  const ledger = request.snapshot.meta === null ? [] : await readOpenSteps(session, target.scope);
  const alone = new Map(await askCatalog(session, upSections([...versioned, ...repeatables])));
  for (const [id, ordinals] of request.alone ?? [])
    alone.set(id, new Set([...(alone.get(id) ?? []), ...ordinals]));
  return planUp({
    stream: target.stream.name,
    target: target.id,
    targetSchema: target.scope.targetSchema,
    lockTimeoutMs: io.config.safety.lockTimeoutMs,
    statementTimeoutMs: io.config.safety.statementTimeoutMs,
    showPath: pathShower(io),
    tolerateExisting: io.config.safety.tolerateExisting,
    comparison,
    versioned,
    repeatables,
    ledger,
    begun: await readBegun(session, target.scope, ledger, request.snapshot.rows),
    alone,
    warnings: [...findings.warnings, ...warnings],
  });
}

async function parsedOnce(parsed: Map<string, Migration>, file: MigrationFile): Promise<Migration> {
  const key = `${file.kind} ${file.id}`;
  let migration = parsed.get(key);
  if (migration === undefined || migration.checksum !== file.checksum) {
    migration = await parseMigration(file);
    parsed.set(key, migration);
  }
  return migration;
}

/**
 * Repeatables run behind all versioned files. A database that is ahead of the files belongs to a newer version of the
 * application, and a text that was replaced by a newer one is not put back: two versions in a rolling deploy do not fight.
 */
async function chooseRepeatables(
  session: Session,
  target: Target,
  request: UpPlanRequest,
  comparison: Comparison,
): Promise<{ repeatables: Migration[]; warnings: PlanWarning[] }> {
  if (!request.withRepeatables || comparison.repeatables.length === 0)
    return { repeatables: [], warnings: [] };
  const names = comparison.repeatables.map((file) => file.id).join(", ");
  if (comparison.missing.length > 0) {
    return {
      repeatables: [],
      warnings: [
        { message: `the database is ahead of the files, so repeatables are not run: ${names}`, hint: null },
      ],
    };
  }
  const repeatables: Migration[] = [];
  const warnings: PlanWarning[] = [];
  for (const file of comparison.repeatables) {
    if (!request.reapply && request.snapshot.meta !== null && (await wasSuperseded(session, target, file))) {
      warnings.push({
        message: `${file.id}: a newer text of it is applied, so this older one is not put back`,
        hint: "if that is what you want: godwit up --reapply",
      });
      continue;
    }
    repeatables.push(await parsedOnce(request.parsed, file));
  }
  return { repeatables, warnings };
}

/** Whether this text was applied once and another one after it. */
export async function wasSuperseded(session: Session, target: Target, file: MigrationFile): Promise<boolean> {
  const entries = await readLog(session, target.scope, { limit: 0, migrationId: file.id });
  const applied = entries
    .filter((entry) => entry.event === "repeatable.applied")
    .map((entry) => (JSON.parse(entry.detailsText) as { checksum?: string }).checksum);
  return applied.includes(file.checksum) && applied.at(-1) !== file.checksum;
}
