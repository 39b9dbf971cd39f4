import { formatDuration } from "../core/duration.ts";
import { GodwitError } from "../core/error.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { isPatientStep } from "../plan/patient-step.ts";
import type { PlannedMigration, PlanStep } from "../plan/types.ts";
import type { ExecutionContext } from "./context.ts";
import { toMigrationError } from "./sql-error.ts";
import { StatementFailure } from "./statement-pipeline.ts";
import { whenFree } from "./when-free.ts";

/** The limits that a step runs under, in milliseconds; 0: none. */
export interface StepLimits {
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** The limits of a step of a migration, the deadline of patient ones among them. */
export function limitsOf(
  { courtesy }: Pick<ExecutionContext, "courtesy">,
  planned: PlannedMigration,
  step: PlanStep | undefined,
): StepLimits {
  const { lockTimeoutMs, statementTimeoutMs } = planned;
  if (!isPatientStep(step)) return { lockTimeoutMs, statementTimeoutMs };
  const limits = [statementTimeoutMs, courtesy.settings.patientTimeoutMs].filter((ms) => ms > 0);
  return { lockTimeoutMs: 0, statementTimeoutMs: limits.length === 0 ? 0 : Math.min(...limits) };
}

/**
 * What the failure of a statement that came to its deadline looks like to a person, with who it waited for.
 * @param waitingFor who was seen to be in its way when last looked.
 * @returns null for any other failure.
 */
export function pastDeadline(
  { courtesy, signal }: Pick<ExecutionContext, "courtesy" | "signal">,
  planned: PlannedMigration,
  failure: unknown,
  waitingFor: string | null,
): GodwitError | null {
  if (!(failure instanceof StatementFailure) || signal?.aborted === true) return null;
  const { statement, cause } = failure;
  const { patientTimeoutMs } = courtesy.settings;
  const { statementTimeoutMs } = planned;
  const isDeadline =
    patientTimeoutMs > 0 && (statementTimeoutMs === 0 || patientTimeoutMs < statementTimeoutMs);
  if (!statement.patient || !isDeadline || sqlstateOf(cause) !== SQLSTATE.queryCanceled) return null;
  const { location, detail } = toMigrationError(cause, planned, statement);
  const again = `godwit ${planned.direction}`;
  const longer = `allow it more time: ${again} --patient-timeout 4h`;
  return new GodwitError(
    waitingFor === null ? "MIGRATION_FAILED" : "OBJECT_LOCK_TIMEOUT",
    `${planned.id}: ${statement.tag} was not done within ${formatDuration(patientTimeoutMs)}`,
    {
      sqlstate: SQLSTATE.queryCanceled,
      ...(location === undefined ? {} : { location }),
      ...(waitingFor === null
        ? detail === undefined
          ? {}
          : { detail }
        : { detail: `it waited for ${waitingFor}` }),
      hint: waitingFor === null ? longer : `${whenFree("that session", again)}\nor ${longer}`,
      cause: failure,
    },
  );
}
