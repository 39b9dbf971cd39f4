import { monotonicMs } from "../core/clock.ts";
import { GodwitError } from "../core/error.ts";
import { sleep } from "../core/interrupt.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import type { Session } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { BEGIN_READ_COMMITTED, LONGEST_IDLE_MS } from "../postgres/work-session.ts";
import { ident, literal } from "../sql/quote.ts";
import { assertWritable, readHistory, type HistoryScope } from "./read.ts";
import { asRefused } from "./refused.ts";
import type { MetaRow } from "./types.ts";
import { HISTORY_UPGRADES, HISTORY_VERSION } from "./versions.ts";

export interface UpgradeOptions {
  readonly toolVersion: string;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for another process that upgrades at the same moment, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Creates the history or brings it to this software's version; does nothing if it is there already.
 * Any number of processes may call this at once: one does the work, under a transaction-level advisory try-lock that is
 * polled, since a waiting lock call would hold a snapshot (law 2). The upgrade and its version commit together.
 * @returns the version before (0: none) and after.
 * @throws GodwitError HISTORY_TOO_NEW, HISTORY_FOREIGN, PERMISSION_DENIED, LOCK_BUSY.
 */
export async function upgradeHistory(
  session: Session,
  scope: HistoryScope,
  options: UpgradeOptions,
): Promise<{ readonly from: number; readonly to: number }> {
  const deadline = monotonicMs() + options.waitMs;
  for (;;) {
    const { meta } = await readHistory(session, scope);
    if (meta !== null) assertWritable(meta);
    const from = meta?.version ?? 0;
    if (from >= HISTORY_VERSION) return { from, to: from };

    await session.query(
      `${BEGIN_READ_COMMITTED}; ${IDLE_LOCALLY}; SET LOCAL lock_timeout = ${Math.max(1, Math.ceil(options.waitMs))}`,
    );
    try {
      const [row] = await session.rows(
        `SELECT pg_catalog.pg_try_advisory_xact_lock(${upgradeKey(scope)}) AS locked`,
      );
      if (row?.locked === "t") {
        // Read again: another process may have finished between the first look and the lock.
        const current = (await metaInTransaction(session, scope))?.version ?? 0;
        await applyUpgrades(session, scope, current, options.toolVersion);
        await session.query("COMMIT");
        return { from: current, to: Math.max(current, HISTORY_VERSION) };
      }
      await session.query("ROLLBACK");
    } catch (error) {
      await session.cleanup(() => session.query("ROLLBACK"));
      const sqlstate = sqlstateOf(error);
      if (sqlstate === SQLSTATE.lockNotAvailable) throw tooLong(error);
      // Somebody else has just made the schema: it is there for the next look.
      if (sqlstate !== SQLSTATE.duplicateSchema && sqlstate !== SQLSTATE.uniqueViolation) {
        throw asUpgradeError(error, scope, session);
      }
    }
    if (monotonicMs() > deadline) throw tooLong();
    await sleep(20 + Math.random() * 60, options.signal);
  }
}

/** Until a client that was stopped loses what all the others wait for; the role's own limit may be shorter than reading the files takes. */
const IDLE_LOCALLY = `SET LOCAL idle_in_transaction_session_timeout = ${LONGEST_IDLE_MS}`;

function tooLong(cause?: unknown): GodwitError {
  return new GodwitError(
    "LOCK_BUSY",
    "another process is creating or upgrading the history and does not finish",
    { hint: "godwit status shows whether it got there; then run the same command again", cause },
  );
}

async function applyUpgrades(
  session: Session,
  scope: HistoryScope,
  from: number,
  toolVersion: string,
): Promise<void> {
  const parts: string[] = [];
  if (from === 0) {
    const schema = ident(scope.schema);
    // Asked first: CREATE SCHEMA IF NOT EXISTS needs the privilege even when the schema was prepared for us.
    const [row] = await session.rows(
      `SELECT pg_catalog.to_regnamespace(${literal(schema)}) IS NULL AS missing`,
    );
    if (row?.missing === "t") parts.push(schemaSql(schema));
  }
  await session.query([...parts, ...upgradesSql(scope, from, toolVersion)].join("; "));
}

function schemaSql(schema: string): string {
  return `CREATE SCHEMA ${schema}; COMMENT ON SCHEMA ${schema} IS 'History of migrations, written by Godwit. Do not edit.'`;
}

/** The statements that bring a history from one version to ours, and say so in it. */
function upgradesSql(scope: HistoryScope, from: number, toolVersion: string): string[] {
  const schema = ident(scope.schema);
  return HISTORY_UPGRADES.filter(({ version }) => version > from).flatMap((upgrade) => [
    upgrade.sql(schema),
    `INSERT INTO ${schema}.meta (version, min_reader, min_writer, tool_version)
     VALUES (${upgrade.version}, ${upgrade.minReader}, ${upgrade.minWriter}, ${literal(toolVersion)})
     ON CONFLICT (singleton) DO UPDATE SET (version, min_reader, min_writer, tool_version, upgraded_at) =
       (EXCLUDED.version, EXCLUDED.min_reader, EXCLUDED.min_writer, EXCLUDED.tool_version, EXCLUDED.upgraded_at)`,
  ]);
}

/** Somebody else may have the schema's name in an open transaction; `upgradeHistory` waits longer for it. */
const EARLY_WAIT_MS = 1000;

/** A history that is being created in an open transaction: nobody else sees it, and it may still come to nothing. */
export interface NewHistory {
  /** Waits until the server is done with it. @returns whether it worked; if not, the session is as it was before. */
  isMade(): Promise<boolean>;
  /** @throws the server's error if it could not be committed. */
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

/**
 * Has the server create the history, in a transaction that the caller commits or rolls back, while the caller is busy with
 * something else: it takes as long as parsing a hundred files. Only for a database that has none. Whatever is in its way,
 * another process that does the same or a missing privilege, makes it come to nothing; `upgradeHistory` says why.
 */
export function beginHistory(session: Session, scope: HistoryScope, toolVersion: string): NewHistory {
  const free = `pg_catalog.pg_try_advisory_xact_lock(${upgradeKey(scope)})`;
  const statements = [
    BEGIN_READ_COMMITTED,
    `${IDLE_LOCALLY}; SET LOCAL lock_timeout = ${EARLY_WAIT_MS}`,
    `SELECT pg_catalog.int4div(1, ${free}::pg_catalog.int4)`,
    schemaSql(ident(scope.schema)),
    ...upgradesSql(scope, 0, toolVersion),
  ];
  const made = session.query(statements.join("; ")).then(
    () => true,
    () => false,
  );
  const rollBack = async (): Promise<void> => {
    await session.cleanup(() => session.query("ROLLBACK"));
  };
  return {
    rollBack,
    async isMade() {
      if (await made) return true;
      await rollBack();
      return false;
    },
    async commit() {
      await session.query("COMMIT");
    },
  };
}

/** The key of the lock under which a history is created or upgraded. */
function upgradeKey(scope: HistoryScope): string {
  return `pg_catalog.hashtextextended(${literal(`godwit history ${scope.schema}`)}, 0)`;
}

async function metaInTransaction(session: Session, scope: HistoryScope): Promise<MetaRow | null> {
  const [row] = await session.rows(
    `SELECT pg_catalog.to_regclass(${literal(`${ident(scope.schema)}.meta`)}) AS meta`,
  );
  return row?.meta === null ? null : (await readHistory(session, scope)).meta;
}

function asUpgradeError(error: unknown, scope: HistoryScope, session: Session): unknown {
  const sqlstate = sqlstateOf(error);
  if (sqlstate !== undefined && THERE_ALREADY.has(sqlstate)) {
    return new GodwitError("HISTORY_FOREIGN", `the schema "${scope.schema}" holds objects of somebody else`, {
      sqlstate,
      hint: "name another schema for the history in the configuration: history: { schema: godwit_history }",
      cause: error,
    });
  }
  return asRefused(error, "create", scope.schema, session.settings.user);
}

const THERE_ALREADY: ReadonlySet<string> = new Set([
  SQLSTATE.duplicateTable,
  SQLSTATE.duplicateObject,
  SQLSTATE.duplicateFunction,
]);
