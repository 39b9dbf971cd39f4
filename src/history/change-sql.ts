import { arrayText, compositeLiteral, ident, literal } from "../sql/quote.ts";
import type { MigrationRecord, StepRecord } from "./change.ts";
import type { LogEntry } from "./log-chain.ts";
import type { HistoryScope } from "./read.ts";
import { storableJson, storableText } from "./storable.ts";

/** Of a change that is about no migration's state. */
const NO_MIGRATION: readonly null[] = Array.from({ length: 16 }, () => null);

/** The right to write: the lock's key and the token and owner under which it is held (law 3). */
export interface Fence {
  readonly key: string;
  readonly token: number;
  /** The run id. */
  readonly owner: string;
}

/** The pid and start of the backend that writes, for the ledger. */
export interface Backend {
  readonly pid: number;
  /** null where the role may not see it. */
  readonly start: string | null;
}

/** What is to stand in `migrations`, and which number it has among what is applied; null: it is not applied. */
export interface AppliedRecord {
  readonly record: MigrationRecord;
  readonly appliedSeq: number | null;
}

export interface ChangeSqlOptions {
  readonly scope: HistoryScope;
  readonly fence: Fence;
  readonly backend: Backend;
  readonly toolVersion: string;
}

/** Writes changes of a history as SQL, under one fence. */
export class ChangeSql {
  readonly #options: ChangeSqlOptions;

  constructor(options: ChangeSqlOptions) {
    this.#options = options;
  }

  /** Call that appends an entry to the log, with the state of a migration. The values stand in the order of the columns of the type `history_change`. */
  record(entry: LogEntry, change: AppliedRecord | undefined): string {
    const { fence, scope } = this.#options;
    const values = [
      fence.key,
      String(fence.token),
      fence.owner,
      scope.stream,
      scope.targetSchema,
      entry.level,
      entry.event,
      entry.migrationId,
      storableText(entry.message),
      storableJson(entry.details),
      String(entry.timed === true),
      ...(change === undefined ? NO_MIGRATION : this.#migrationValues(change)),
    ];
    return `${this.#table("record_change")}(${compositeLiteral(values)})`;
  }

  #migrationValues({ record, appliedSeq }: AppliedRecord): (string | null)[] {
    return [
      record.id,
      record.kind,
      record.format,
      record.description,
      record.status,
      record.checksum,
      record.downChecksum,
      arrayText(record.statementHashes),
      arrayText(record.requires),
      record.irreversible,
      appliedSeq === null ? null : String(appliedSeq),
      record.executionMs === null ? null : String(Math.round(record.executionMs)),
      this.#options.toolVersion,
      record.error === null ? null : storableJson(record.error),
      record.files?.upSql ?? null,
      record.files?.downSql ?? null,
    ];
  }

  /** Statement that says in the ledger how far a step is. */
  step(step: StepRecord): string {
    const { backend } = this.#options;
    const finished = step.state === "intended" ? "NULL" : "pg_catalog.clock_timestamp()";
    return (
      `INSERT INTO ${this.#table("migration_steps")} (stream, target_schema, migration_id, kind, direction, ordinal, statement_hash, statement_hashes, state, backend_pid, backend_start, finished_at) VALUES ` +
      `(${this.#target()}, ${literal(step.id)}, ${literal(step.kind)}, ${literal(step.direction)}, ` +
      `${step.ordinal}, ${literal(step.statementHash)}, ${literal(arrayText(step.statementHashes))}, ${literal(step.state)}, ${backend.pid}, ${literal(backend.start)}, ${finished}) ` +
      `ON CONFLICT (stream, target_schema, migration_id, kind, direction, ordinal) DO UPDATE SET ` +
      `(statement_hash, statement_hashes, state, backend_pid, backend_start, finished_at) = (EXCLUDED.statement_hash, EXCLUDED.statement_hashes, EXCLUDED.state, EXCLUDED.backend_pid, EXCLUDED.backend_start, EXCLUDED.finished_at)`
    );
  }

  #target(): string {
    return `${literal(this.#options.scope.stream)}, ${literal(this.#options.scope.targetSchema)}`;
  }

  #table(name: string): string {
    return `${ident(this.#options.scope.schema)}.${name}`;
  }
}
