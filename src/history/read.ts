import { GodwitError } from "../core/error.ts";
import { sqlstateOf } from "../postgres/database-error.ts";
import {
  isoTimestamp,
  SERVER_FACTS_SQL,
  serverFactsFrom,
  type ServerFacts,
} from "../postgres/server-facts.ts";
import type { Session, TextRow } from "../postgres/session.ts";
import { SQLSTATE } from "../postgres/sqlstate.ts";
import { ident, literal } from "../sql/quote.ts";
import type { MigrationFormat } from "../migrations/types.ts";
import { asRefused } from "./refused.ts";
import type {
  HistoryDetail,
  HistoryRow,
  MetaRow,
  MigrationStatus,
  StepNote,
  StepRow,
  StepState,
  StoredError,
} from "./types.ts";
import { HISTORY_VERSION } from "./versions.ts";

/** Which history of a database is meant: one per stream and target schema, in the schema named in the configuration. */
export interface HistoryScope {
  /** Unquoted name of the schema that holds the history. */
  readonly schema: string;
  readonly stream: string;
  /** Empty for a target that is a whole database. */
  readonly targetSchema: string;
}

/** What a target says of itself, read without changing anything. */
export interface HistorySnapshot {
  /** null: there is no history yet. */
  readonly meta: MetaRow | null;
  readonly rows: readonly HistoryRow[];
}

/**
 * Reads server facts, version of the history and its rows in one network round trip.
 * The statements are pipelined; where there is no history yet, those that need it fail and nothing else does.
 * Works with a role that may only read, and on a standby.
 * @throws GodwitError HISTORY_TOO_NEW, HISTORY_FOREIGN, PERMISSION_DENIED, SERVER_UNSUPPORTED.
 */
export async function readSnapshot(
  session: Session,
  scope: HistoryScope,
): Promise<HistorySnapshot & { facts: ServerFacts }> {
  const factsRow = session.rows(SERVER_FACTS_SQL);
  const history = readHistory(session, scope);
  history.catch(() => undefined);
  const [row] = await factsRow;
  const facts = serverFactsFrom(row!, session.startupPid);
  return { facts, ...(await history) };
}

/** The version and the rows alone. See `readSnapshot`. */
export async function readHistory(session: Session, scope: HistoryScope): Promise<HistorySnapshot> {
  const [meta, rows] = await Promise.allSettled([session.rows(metaSql(scope)), session.rows(rowsSql(scope))]);
  if (meta.status === "rejected") {
    const sqlstate = sqlstateOf(meta.reason);
    if (sqlstate === SQLSTATE.undefinedTable || sqlstate === SQLSTATE.invalidSchemaName)
      return { meta: null, rows: [] };
    throw asReadError(meta.reason, scope, session);
  }
  const found = metaFrom(meta.value, scope);
  assertReadable(found, scope);
  if (rows.status === "rejected") throw asReadError(rows.reason, scope, session);
  return { meta: found, rows: historyRows(scope.stream, rows.value[0]) };
}

/** Reads everything that `status` and `history` show. `meta` must have been read: the tables exist. */
export async function readDetails(session: Session, scope: HistoryScope): Promise<HistoryDetail[]> {
  const rows = await session.rows(
    `SELECT id, kind, status, checksum, down_checksum, applied_seq, description, format, irreversible,
       pg_catalog.to_json(statement_hashes) AS statement_hashes, pg_catalog.to_json(requires) AS requires,
       ${isoTimestamp("applied_at")} AS applied_at, applied_by, execution_ms, run_id, tool_version, error
     FROM ${ident(scope.schema)}.migrations WHERE ${scopeCondition(scope)} ORDER BY applied_seq NULLS LAST, id`,
  );
  return rows.map((row) => ({
    ...historyRow(scope.stream, row),
    description: row.description ?? "",
    format: (row.format ?? "sql") as MigrationFormat,
    irreversible: row.irreversible ?? null,
    statementHashes: JSON.parse(row.statement_hashes ?? "[]") as string[],
    requires: JSON.parse(row.requires ?? "[]") as string[],
    appliedAt: row.applied_at ?? null,
    appliedBy: row.applied_by ?? null,
    executionMs: row.execution_ms === null ? null : Number(row.execution_ms),
    runId: row.run_id ?? null,
    toolVersion: row.tool_version ?? "",
    error: row.error === null ? null : (JSON.parse(row.error ?? "null") as StoredError | null),
  }));
}

/** The ledger of every migration that is not finished. */
export async function readOpenSteps(session: Session, scope: HistoryScope): Promise<StepRow[]> {
  const schema = ident(scope.schema);
  const rows = await session.rows(
    // A history of version 1 has no such column, and may be all that there is to read.
    `SELECT s.migration_id, s.direction, s.ordinal, s.statement_hash, s.state,
       pg_catalog.to_jsonb(s) ->> 'statement_hashes' AS statement_hashes
     FROM ${schema}.migration_steps s JOIN ${schema}.migrations m
       ON (m.stream, m.target_schema, m.id, m.kind) = (s.stream, s.target_schema, s.migration_id, s.kind)
     WHERE m.stream = ${literal(scope.stream)} AND m.target_schema = ${literal(scope.targetSchema)}
       AND m.status IN ('running', 'failed') ORDER BY s.migration_id, s.direction, s.ordinal`,
  );
  return rows.map((row) => ({
    id: row.migration_id ?? "",
    direction: row.direction === "down" ? "down" : "up",
    ordinal: Number(row.ordinal),
    statementHash: row.statement_hash ?? "",
    statementHashes: JSON.parse(row.statement_hashes ?? "null") as string[] | null,
    state: STEP_STATES.find((state) => state === row.state) ?? "intended",
  }));
}

const STEP_STATES: readonly StepState[] = ["intended", "done", "failed", "unknown"];

/**
 * What was noted of the objects of a statement that stands alone when its intent was written.
 * @returns null where nothing was.
 */
export async function readStepNote(
  session: Session,
  scope: HistoryScope,
  step: Pick<StepRow, "id" | "direction" | "ordinal">,
): Promise<StepNote | null> {
  const [row] = await session.rows(
    `SELECT details -> 'before' AS note FROM ${ident(scope.schema)}.migration_log
     WHERE ${scopeCondition(scope)} AND migration_id = $1 AND event = 'step.intended'
       AND details ->> 'direction' = $2 AND details ->> 'ordinal' = $3 ORDER BY seq DESC LIMIT 1`,
    [step.id, step.direction, String(step.ordinal)],
  );
  return JSON.parse(row?.note ?? "null") as StepNote | null;
}

/** The texts stored for given checksums. */
export async function readFiles(
  session: Session,
  scope: HistoryScope,
  checksums: readonly string[],
): Promise<Map<string, { readonly upSql: string; readonly downSql: string | null }>> {
  const rows = await session.rows(
    `SELECT checksum, up_sql, down_sql FROM ${ident(scope.schema)}.migration_files WHERE checksum = ANY ($1)`,
    [checksums],
  );
  return new Map(
    rows.map((row) => [row.checksum ?? "", { upSql: row.up_sql ?? "", downSql: row.down_sql ?? null }]),
  );
}

/** SQL condition that selects the rows of one history, of tables with columns stream and target_schema. */
export function scopeCondition(scope: HistoryScope): string {
  return `stream = ${literal(scope.stream)} AND target_schema = ${literal(scope.targetSchema)}`;
}

/** @throws GodwitError HISTORY_TOO_NEW if this software may not write after what wrote `meta`. */
export function assertWritable(meta: MetaRow): void {
  if (meta.minWriter > HISTORY_VERSION) throw tooNew(meta, meta.minWriter, "write");
}

function assertReadable(meta: MetaRow, scope: HistoryScope): void {
  if (!(meta.version >= 1)) throw foreign(scope);
  if (meta.minReader > HISTORY_VERSION) throw tooNew(meta, meta.minReader, "read");
}

function metaSql(scope: HistoryScope): string {
  return `SELECT version, min_reader, min_writer FROM ${ident(scope.schema)}.meta`;
}

/** Of `migrations`, those that every run needs; none can hold a line feed, since ids have no control characters. */
const COLUMNS = ["kind", "status", "applied_seq", "checksum", "down_checksum", "id"] as const;

/**
 * Each column as one text with a line for each row: half the cost for the server, and a tenth for us, of ten thousand rows of
 * the protocol. All aggregates see the rows in one order (they have none of their own), which does not matter to anybody.
 */
function rowsSql(scope: HistoryScope): string {
  const columns = COLUMNS.map((name) => {
    const value = name === "applied_seq" ? `${name}::text` : name;
    return `pg_catalog.string_agg(coalesce(${value}, ''), E'\\n') AS ${name}`;
  });
  return `SELECT ${columns.join(", ")} FROM ${ident(scope.schema)}.migrations WHERE ${scopeCondition(scope)}`;
}

function historyRows(stream: string, columns: TextRow | undefined): HistoryRow[] {
  const lists = COLUMNS.map((name) => columns?.[name]?.split("\n") ?? []);
  const [kinds, statuses, seqs, checksums, downChecksums, ids] = lists as [
    string[],
    string[],
    string[],
    string[],
    string[],
    string[],
  ];
  return ids.map((id, index): HistoryRow => {
    const downChecksum = downChecksums[index]!;
    const seq = seqs[index]!;
    return {
      stream,
      id,
      kind: kinds[index] === "repeatable" ? "repeatable" : "versioned",
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only statuses are written there
      status: statuses[index] as MigrationStatus,
      checksum: checksums[index]!,
      downChecksum: downChecksum === "" ? null : downChecksum,
      appliedSeq: seq === "" ? null : Number(seq),
    };
  });
}

function metaFrom(rows: readonly TextRow[], scope: HistoryScope): MetaRow {
  const [row] = rows;
  if (row === undefined) throw foreign(scope);
  return {
    version: Number(row.version),
    minReader: Number(row.min_reader),
    minWriter: Number(row.min_writer),
  };
}

function historyRow(stream: string, row: TextRow): HistoryRow {
  return {
    stream,
    id: row.id ?? "",
    kind: row.kind === "repeatable" ? "repeatable" : "versioned",
    status: (row.status ?? "pending") as MigrationStatus,
    checksum: row.checksum ?? "",
    downChecksum: row.down_checksum ?? null,
    appliedSeq: row.applied_seq === null || row.applied_seq === undefined ? null : Number(row.applied_seq),
  };
}

function tooNew(meta: MetaRow, needed: number, verb: "read" | "write"): GodwitError {
  return new GodwitError(
    "HISTORY_TOO_NEW",
    `the history has version ${meta.version} and asks for software that knows version ${needed} to ${verb} it; this one knows ${HISTORY_VERSION}`,
    {
      hint: "use the Godwit release that the other services on this database use: npm install godwit@latest",
    },
  );
}

function foreign(scope: HistoryScope): GodwitError {
  return new GodwitError(
    "HISTORY_FOREIGN",
    `the schema "${scope.schema}" exists but does not hold a history of Godwit`,
    {
      hint: "name another schema for the history in the configuration: history: { schema: godwit_history }",
    },
  );
}

function asReadError(error: unknown, scope: HistoryScope, session: Session): unknown {
  const sqlstate = sqlstateOf(error);
  if (sqlstate === SQLSTATE.undefinedTable || sqlstate === SQLSTATE.undefinedColumn) return foreign(scope);
  return asRefused(error, "read", scope.schema, session.settings.user);
}
