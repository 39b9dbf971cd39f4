import { formatDuration } from "../core/duration.ts";
import { GodwitError } from "../core/error.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import type { PlannedMigration } from "../plan/types.ts";
import type { BlockingSight, Waiter } from "./blocking-look.ts";
import { refusedQueryOf } from "./code-database.ts";
import { toCodeError } from "./code-migration.ts";
import { safeRecipe } from "./safe-recipe.ts";
import { toMigrationError } from "./sql-error.ts";
import { StatementFailure } from "./statement-pipeline.ts";

const SHOWN = 5;

/**
 * What a person is told when a migration was cancelled since others waited for it: the statement that ran, who waited for how
 * long, and how the same can be done without that.
 * @param failure what the cancel made of it.
 * @param sight what was seen right before.
 */
export async function blockedOthers(
  planned: PlannedMigration,
  failure: unknown,
  sight: BlockingSight,
  limitMs: number,
): Promise<GodwitError> {
  const statement = failure instanceof StatementFailure ? failure.statement : null;
  const cause = failure instanceof StatementFailure ? failure.cause : failure;
  const { location } =
    planned.format === "code"
      ? await toCodeError(cause, planned, null)
      : toMigrationError(cause, planned, statement);
  const [first] = sight.waiters;
  const what = statement?.tag ?? (planned.format === "code" ? "its code" : "COMMIT");
  const who = first === undefined ? "another session" : nameOf(first);
  const waited = formatDuration(first?.waitedMs ?? limitMs);
  return new GodwitError(
    "BLOCKED_OTHERS",
    `${planned.id}: ${what} was cancelled: ${who} had waited ${waited} for it, and more than ${formatDuration(limitMs)} is not allowed`,
    {
      sqlstate: SQLSTATE.queryCanceled,
      ...(location === undefined ? {} : { location }),
      detail: sight.waiters
        .slice(0, SHOWN)
        .map(describe)
        .concat(sight.waiters.length > SHOWN ? [`and ${sight.waiters.length - SHOWN} more`] : [])
        .join("\n"),
      hint: await hintFor(
        planned,
        sight,
        statement?.sql ?? refusedQueryOf(cause)?.text ?? null,
        statement?.ordinal ?? 1,
      ),
      cause: failure,
    },
  );
}

async function hintFor(
  planned: PlannedMigration,
  sight: BlockingSight,
  sql: string | null,
  ordinal: number,
): Promise<string> {
  const again = `godwit ${planned.direction}`;
  const once = `or let others wait longer for this run: ${again} --max-blocking 30s`;
  if (sight.waitsItself) {
    return `it waited for a lock itself, and others behind it: a lock_timeout below max_blocking lets them through in time, then: ${again}\n${once}`;
  }
  const recipe = sql === null ? null : await safeRecipe(sql);
  const otherwise =
    ordinal > 1
      ? "locks are held to the end of the transaction: put what takes long in a migration of its own, in front of what takes the lock"
      : "let it do less at a time, in several migrations";
  return `${recipe ?? otherwise}\n${once}`;
}

function nameOf({ pid, application }: Waiter): string {
  return `backend ${pid}${application === "" ? "" : ` (${application})`}`;
}

function describe(waiter: Waiter): string {
  const relation = waiter.relation === null ? "" : ` for ${waiter.relation}`;
  const query = waiter.query === null ? "" : `: ${waiter.query.replaceAll(/\s+/g, " ")}`;
  return `${nameOf(waiter)} waited ${formatDuration(waiter.waitedMs)}${relation}${query}`;
}
