import { GodwitError, isGodwitError } from "../core/error.ts";
import { abortReason, sleep } from "../core/interrupt.ts";
import { maskSecrets } from "../core/mask-secrets.ts";
import { placeOfThrown } from "../migrations/code-error.ts";
import { loadCodeMigration } from "../migrations/code.ts";
import type { PlannedMigration } from "../plan/types.ts";
import { CodeDatabase, refusedQueryOf } from "./code-database.ts";
import type { ExecutionContext } from "./context.ts";
import { toMigrationError } from "./sql-error.ts";

/** How long a function may go on once its run is interrupted, to put in order what it has begun elsewhere. */
const LEAVE_AFTER_MS = 2000;

/**
 * Calls the `up` or `down` of a code migration with a `db` bound to the run's session, and waits for all it sent.
 * @param onEnd told, whatever became of it, how many queries the server answered and refused.
 * @throws GodwitError NEEDS_REPAIR if the module is gone; whatever the function throws; the signal's reason, where the function goes
 *   on for longer than it may then.
 */
export async function runCode(
  context: ExecutionContext,
  planned: PlannedMigration,
  onEnd?: (sent: CodeDatabase["sent"]) => void,
): Promise<void> {
  if (planned.modulePath === null) {
    throw new GodwitError("NEEDS_REPAIR", `${planned.id} is a code migration and its file is gone`, {
      hint: `put the file back, or take the change back by hand and tell the history: godwit repair mark-not-applied ${planned.id} --reason "…"`,
    });
  }
  // The way down is the one that the file has now, whatever was loaded under the checksum that was applied.
  const checksum = planned.direction === "up" ? planned.checksum : undefined;
  const module = await loadCodeMigration(planned.modulePath, checksum);
  const run = planned.direction === "up" ? module.up : module.down;
  if (run === null) {
    throw new GodwitError("IRREVERSIBLE", `${planned.id} has no down`, {
      hint: `export an async function down(db) from ${planned.path ?? planned.id}`,
    });
  }
  context.messages.length = 0;
  const database = new CodeDatabase(context, planned, module.transaction);
  // Where a query failed and the function threw something else, what the function says is what counts.
  const [ran] = await Promise.allSettled([
    unlessLeft((async () => await run(database.db))(), context.signal),
  ]);
  const [closed] = await Promise.allSettled([database.close()]);
  onEnd?.(database.sent);
  if (ran.status === "rejected") throw ran.reason;
  if (closed.status === "rejected") throw closed.reason;
}

/**
 * Waits for a function, but not without an end once the run is to end: what it waits for itself nobody can cancel, and its
 * transaction would keep its locks meanwhile.
 */
async function unlessLeft(running: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return void (await running);
  // One that is left behind may still fail, for nobody to hear.
  running.catch(() => undefined);
  const over = new AbortController();
  const left = async (): Promise<never> => {
    await once(signal, over.signal);
    await sleep(LEAVE_AFTER_MS, over.signal);
    throw abortReason(signal);
  };
  try {
    await Promise.race([running, left()]);
  } finally {
    over.abort();
  }
}

/** Resolves when a signal is aborted; never where `unless` is first. */
function once(signal: AbortSignal, unless: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, signal: unless });
  });
}

/**
 * What the failure of code looks like to a person: the line of the file that threw or sent the query, and for a query its text.
 * @param blockers who was seen to hold the lock that it waited for.
 */
export async function toCodeError(
  error: unknown,
  planned: PlannedMigration,
  blockers: string | null,
): Promise<GodwitError> {
  const path = planned.modulePath;
  if (path === null || (isGodwitError(error) && error.location !== undefined))
    return toMigrationError(error, planned, null);
  const refused = refusedQueryOf(error);
  const stack = refused?.stack ?? (error instanceof Error ? (error.stack ?? "") : "");
  const found = await placeOfThrown(path, stack);
  const place = found === null ? {} : { location: { ...found, file: planned.path ?? path } };
  if (refused === undefined) {
    if (isGodwitError(error) && error.code === "CONNECTION_LOST") return error;
    const message = isGodwitError(error) ? error.message : `${planned.id}: ${textOf(error)}`;
    return new GodwitError(isGodwitError(error) ? error.code : "MIGRATION_FAILED", message, {
      hint:
        (isGodwitError(error) ? error.hint : undefined) ?? `mend the file, then: godwit ${planned.direction}`,
      ...place,
      cause: error,
    });
  }
  const known = toMigrationError(error, planned, null, blockers);
  return new GodwitError(known.code, `${planned.id}: a query failed: ${refused.error.message}`, {
    ...(known.sqlstate === undefined ? {} : { sqlstate: known.sqlstate }),
    detail: [`the query: ${maskSecrets(refused.text)}`, known.detail]
      .filter((line) => line !== undefined)
      .join("\n"),
    hint: known.hint ?? `mend the file, then: godwit ${planned.direction}`,
    ...place,
    cause: error,
  });
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : (JSON.stringify(error) ?? "undefined");
}
