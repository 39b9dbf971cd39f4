import { isGodwitError } from "../core/error.ts";
import { readFiles, readStepNote, type HistoryScope } from "../history/read.ts";
import type { HistoryRow, StepRow } from "../history/types.ts";
import { parseStored } from "../migrations/stored.ts";
import type { BegunRecord } from "../plan/resume.ts";
import type { Session } from "../postgres/session.ts";
import type { Statement } from "../sql/types.ts";

/**
 * What the history keeps of the steps that were begun and are not done, by migration id: the statement as it was run, whatever
 * the file says by now, and what was noted of its objects before.
 * @param ledger lines of unfinished migrations.
 */
export async function readBegun(
  session: Session,
  scope: HistoryScope,
  ledger: readonly StepRow[],
  rows: readonly HistoryRow[],
): Promise<ReadonlyMap<string, BegunRecord>> {
  const found = new Map<string, BegunRecord>();
  for (const line of ledger) {
    if (line.state === "done" || found.has(line.id)) continue;
    const row = rows.find(({ id, kind }) => id === line.id && kind === "versioned");
    if (row === undefined) continue;
    const statement = await storedStatement(session, scope, row, line);
    found.set(line.id, { statement, note: await readStepNote(session, scope, line) });
  }
  return found;
}

/** The text that was run is stored with the first line of the ledger, under the checksum that the row has since then. */
async function storedStatement(
  session: Session,
  scope: HistoryScope,
  row: HistoryRow,
  line: StepRow,
): Promise<Statement | null> {
  const { stream, id, kind, checksum } = row;
  const stored = (await readFiles(session, scope, [checksum])).get(checksum);
  if (stored === undefined) return null;
  try {
    const migration = await parseStored({ stream, id, kind, checksum, ...stored });
    const section = line.direction === "down" ? migration.down : migration.up;
    return section?.statements.find(({ hash }) => hash === line.statementHash) ?? null;
  } catch (error) {
    // Code, which is no SQL; or a text that was written by hand.
    if (!isGodwitError(error)) throw error;
    return null;
  }
}
