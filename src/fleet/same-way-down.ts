import { isGodwitError } from "../core/error.ts";
import { readFiles, type HistoryScope } from "../history/read.ts";
import type { HistoryDetail } from "../history/types.ts";
import { parseStored } from "../migrations/stored.ts";
import type { Section } from "../migrations/types.ts";
import type { Session } from "../postgres/session.ts";

/** Whether two ways down are the same statements, run the same way: as for the way up, comments and white space do not count. */
export function isSameWayDown(one: Section | null, other: Section | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.transaction === other.transaction &&
    one.statements.length === other.statements.length &&
    one.statements.every(({ hash }, index) => hash === other.statements[index]?.hash)
  );
}

/** Whether a file's way down is the one that the history has; only where the texts differ, they are compared by statement. */
export async function isStoredWayDown(
  session: Session,
  scope: HistoryScope,
  row: HistoryDetail,
  down: Section | null,
): Promise<boolean> {
  if ((down?.checksum ?? null) === row.downChecksum) return true;
  if (down === null || row.downChecksum === null) return false;
  const { stream, id, kind, checksum } = row;
  const stored = (await readFiles(session, scope, [checksum])).get(checksum);
  if (stored === undefined) return false;
  try {
    return isSameWayDown((await parseStored({ stream, id, kind, checksum, ...stored })).down, down);
  } catch (error) {
    // A text that this version cannot read any more is not the same.
    if (!isGodwitError(error)) throw error;
    return false;
  }
}
