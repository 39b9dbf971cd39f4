import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { done, notDone, type Kind } from "./kind.ts";

/** ALTER SUBSCRIPTION … ADD or DROP PUBLICATION, which the server refuses where it is done already. */
export const publications: Kind<Extract<StandAloneAct, { kind: "publications" }>> = {
  async settle({ context }, { action, subscription, names }, past) {
    if (past.reported) return notDone("it had failed");
    const [row] = await context.session.rows(
      `SELECT s.subpublications @> $2::text[] AS has_all, s.subpublications && $2::text[] AS has_some
       FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
       WHERE s.subname = $1 AND d.datname = pg_catalog.current_database()`,
      [subscription, names],
    );
    const list = names.join(", ");
    if (action === "add" && row?.has_all === "t") return done(`${subscription} has ${list}`);
    if (action === "drop" && row?.has_some === "f")
      return done(`${subscription} does not have ${list} any more`);
    return notDone(`${subscription} is as it was`);
  },
};
