import { isDatabaseError } from "./database-error.ts";
import type { Session } from "./session.ts";

/**
 * Whether two sessions reach the same database of the same cluster: its name, its number, and the identifier that a cluster gets when
 * it is made and its standbys have too (manual, pg_control_system); the last only where both roles may see it.
 */
export async function reachSameDatabase(one: Session, other: Session): Promise<boolean> {
  const [here, there] = await Promise.all([databaseOf(one), databaseOf(other)]);
  if (here !== there) return false;
  const [cluster, otherCluster] = await Promise.all([clusterOf(one), clusterOf(other)]);
  return cluster === null || otherCluster === null || cluster === otherCluster;
}

async function databaseOf(session: Session): Promise<string> {
  const [row] = await session.rows(
    "SELECT d.oid || ' ' || d.datname AS database FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()",
  );
  return row?.database ?? "";
}

async function clusterOf(session: Session): Promise<string | null> {
  const reading = session.rows("SELECT system_identifier AS id FROM pg_catalog.pg_control_system()");
  const rows = await reading.catch((error: unknown) => {
    if (isDatabaseError(error)) return [];
    throw error;
  });
  return rows[0]?.id ?? null;
}
