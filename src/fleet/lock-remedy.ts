import type { LockParty, PreparedParty } from "../postgres/lock-waits.ts";
import { ident, literal } from "../sql/quote.ts";
import type { LockRemedy } from "./lock-results.ts";

/** Whether a session is one of Godwit's, by the names that it gives them. */
export function isGodwits(application: string | null): boolean {
  return application !== null && /^godwit(?:$|[ /])/.test(application);
}

/**
 * The statement that ends a session which others wait for, and what speaks against it. What runs is cancelled; a
 * transaction that stands open runs nothing, so that only the end of its session ends it (manual 9.28.2).
 */
export function remedyFor(party: LockParty): LockRemedy {
  const running =
    party.backendType !== "walsender" &&
    (party.state === "active" || party.state === "fastpath function call");
  const act = running || isWorker(party) ? "pg_cancel_backend" : "pg_terminate_backend";
  return { sql: `SELECT ${act}(${party.pid});`, warnings: warningsOf(party) };
}

/** The same for a prepared transaction, which no session holds (manual, ROLLBACK PREPARED). */
export function remedyForPrepared({ gid, user, database }: PreparedParty, current: string): LockRemedy {
  const where = database === current ? [] : [`it can be ended only in its own database, ${database}`];
  const who = user === null ? "who prepared it" : user;
  return {
    sql: `ROLLBACK PREPARED ${literal(gid)};`,
    warnings: [
      ...where,
      `its transaction manager may still want to commit it; only ${who} or a superuser may end it`,
    ],
  };
}

function isWorker({ backendType }: LockParty): boolean {
  return backendType !== null && backendType !== "client backend" && backendType !== "walsender";
}

function warningsOf(party: LockParty): string[] {
  const warnings: string[] = [];
  const { backendType, query, application } = party;
  if (backendType === "autovacuum worker") {
    warnings.push(
      query?.includes("(to prevent wraparound)") === true
        ? "it is a vacuum to prevent wraparound: let it finish; cancelled, it begins again, and the server needs it"
        : "it is an autovacuum: the server cancels it by itself for who waits longer than deadlock_timeout",
    );
  } else if (backendType === "walsender" || backendType?.startsWith("logical replication") === true) {
    warnings.push("it belongs to replication: a standby or subscriber falls behind");
  } else if (isWorker(party)) {
    warnings.push(`it is no client: ${backendType}`);
  }
  if (party.superuser && !isWorker(party))
    warnings.push("it belongs to a superuser, and only a superuser may end it");
  if (party.refusedTo !== null && !isWorker(party)) {
    const role = ident(party.refusedTo);
    warnings.push(`this role may not end it; as a superuser: GRANT pg_signal_backend TO ${role};`);
  }
  if (isGodwits(application)) {
    warnings.push(
      "it is Godwit's own: its migration fails and is rolled back; godwit lock status shows what it does",
    );
  }
  if (party.state === null && !isWorker(party)) warnings.push("this role may not see what it does");
  return warnings;
}
