import { stronger } from "../../sql/locks/conflicts.ts";
import { FreshRelations } from "../../sql/locks/fresh.ts";
import type { LockMode, ObjectLock } from "../../sql/locks/types.ts";
import { qualified } from "../../sql/quote.ts";
import type { Statement } from "../../sql/types.ts";
import { statementsOf } from "../../plan/steps.ts";
import type { Plan, PlanStep } from "../../plan/types.ts";
import { isDatabaseError } from "../../postgres/database-error.ts";
import type { Session } from "../../postgres/session.ts";
import { resolveLocks, type FoundRelation } from "./resolve-locks.ts";

const BLOCKS: Readonly<Partial<Record<LockMode, ObjectLock["blocks"]>>> = {
  "ACCESS EXCLUSIVE": "reads and writes",
  EXCLUSIVE: "writes",
  "SHARE ROW EXCLUSIVE": "writes",
  SHARE: "writes",
};

/**
 * The plan with what each statement locks in the live catalog, asked in one question. Relations that the plan itself makes
 * are left out, and so is what a file names after it has changed `search_path`, except with its schema. A role that may not
 * look names up is shown the plan without.
 * @param searchPath that the migrations run with, ready for SET; null: the session's own.
 * @throws GodwitError CONNECTION_LOST; the signal's reason.
 */
export async function withObjectLocks(
  session: Session,
  searchPath: string | null,
  plan: Plan,
): Promise<Plan> {
  const fresh = new FreshRelations();
  const all = plan.migrations.flatMap(({ steps }) => {
    fresh.nextFile();
    return steps.flatMap(statementsOf).map((statement) => ({ statement, requests: fresh.next(statement) }));
  });
  const asked = all.flatMap(({ requests, statement }) =>
    requests.map((request) => ({ ...request, statement })),
  );
  const locks = new Map<Statement, Map<number, ObjectLock>>(
    all.map(({ statement }) => [statement, new Map()]),
  );
  let found: readonly FoundRelation<(typeof asked)[number]>[];
  try {
    found = await resolveLocks(session, searchPath, asked);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return plan;
  }
  for (const { mode, name, oid, request, schema } of found) {
    if (mode === null) continue;
    const own = locks.get(request.statement)!;
    const strongest = stronger(mode, own.get(oid)?.mode ?? mode);
    own.set(oid, {
      schema,
      name,
      relation: qualified(schema, name),
      mode: strongest,
      blocks: BLOCKS[strongest] ?? "nothing",
    });
  }
  const shown = (statement: Statement): Statement => ({
    ...statement,
    locks: { ...statement.locks, objects: [...locks.get(statement)!.values()].toSorted(strongestFirst) },
  });
  return {
    ...plan,
    migrations: plan.migrations.map((planned) => ({
      ...planned,
      steps: planned.steps.map((step) => withStatements(step, shown)),
    })),
  };
}

function withStatements(step: PlanStep, shown: (statement: Statement) => Statement): PlanStep {
  if (step.kind === "transaction") return { ...step, statements: step.statements.map(shown) };
  return step.kind === "standalone" ? { ...step, statement: shown(step.statement) } : step;
}

function strongestFirst(a: ObjectLock, b: ObjectLock): number {
  if (a.mode !== b.mode) return stronger(a.mode, b.mode) === a.mode ? -1 : 1;
  return `${a.schema}.${a.name}` < `${b.schema}.${b.name}` ? -1 : 1;
}
