import type { Session } from "../../postgres/session.ts";
import type { SharedObject, StandAloneAct } from "../../sql/stand-alone-act.ts";
import { done, notDone, type Kind } from "./kind.ts";

const CATALOG: Readonly<Record<SharedObject, string>> = {
  database: "pg_catalog.pg_database WHERE datname = $1",
  tablespace: "pg_catalog.pg_tablespace WHERE spcname = $1",
  subscription:
    "pg_catalog.pg_subscription WHERE subname = $1 AND subdbid = " +
    "(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())",
};

interface Named {
  readonly type: SharedObject;
  readonly name: string;
}

async function isThere(session: Session, { type, name }: Named): Promise<boolean> {
  return (await session.rows(`SELECT FROM ${CATALOG[type]}`, [name])).length > 0;
}

async function note(session: Session, act: Named): Promise<{ readonly there: boolean }> {
  return { there: await isThere(session, act) };
}

/** CREATE DATABASE, TABLESPACE and SUBSCRIPTION: each appears in the catalog with the commit of its only transaction. */
export const createShared: Kind<Extract<StandAloneAct, { kind: "create" }>> = {
  note,
  async settle({ context }, act, past) {
    const what = `${act.type} ${act.name}`;
    if (!(await isThere(context.session, act))) return notDone(`${what} is not there`);
    if (past.reported) return notDone("it had failed");
    return past.note?.there === true ? notDone(`${what} was there before`) : done(`${what} is there`);
  },
};

/** Their opposites. A database whose removal was interrupted is still in the catalog, and can be dropped again. */
export const dropShared: Kind<Extract<StandAloneAct, { kind: "drop" }>> = {
  note,
  async settle({ context }, act, past) {
    const what = `${act.type} ${act.name}`;
    if (await isThere(context.session, act)) return notDone(`${what} is still there`);
    const wasThere = past.note === null ? !past.reported : past.note.there === true;
    return wasThere ? done(`${what} is gone`) : notDone(`${what} was not there before`);
  },
};
