import type { LogEntry } from "../history/log-chain.ts";
import type { MigrationStatus } from "../history/types.ts";
import type { MigrationRecord } from "../history/change.ts";
import type { Migration } from "../migrations/types.ts";

/** What the history is to say of a migration that was not run but is declared to be in the database, with its texts. */
export function recordOfFile(migration: Migration, status: MigrationStatus): MigrationRecord {
  return {
    id: migration.id,
    kind: migration.kind,
    format: migration.format,
    description: migration.description,
    status,
    checksum: migration.checksum,
    downChecksum: migration.down?.checksum ?? null,
    statementHashes: migration.up.statements.map((statement) => statement.hash),
    requires: (migration.requires ?? []).map(({ stream, id }) =>
      stream === migration.stream ? id : `${stream}/${id}`,
    ),
    irreversible: migration.irreversible,
    executionMs: null,
    error: null,
    files: { upSql: migration.up.sql, downSql: migration.down?.sql ?? null },
  };
}

/** The entry of an act of a person. */
export function actEntry(
  event: string,
  id: string,
  message: string,
  reason: string | null,
  details: Readonly<Record<string, unknown>> = {},
): LogEntry {
  return { level: "warning", event, migrationId: id, message, details: { ...details, reason } };
}
