import type { Session } from "../../postgres/session.ts";
import { wayToDecide } from "../../plan/decidable.ts";
import type { Statement } from "../../sql/types.ts";
import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { qualified } from "../../sql/quote.ts";
import { complete } from "./complete.ts";
import { waitForOthers } from "./holders.ts";
import { findRelation, type Relation } from "./indexes.ts";
import { done, notDone, unclear, type Kind, type Scene } from "./kind.ts";

type Act = Extract<StandAloneAct, { kind: "detach" }>;

interface Sight {
  readonly parent: Relation | null;
  readonly partition: Relation | null;
  /** `pending`: it waits for FINALIZE. */
  readonly state: "attached" | "pending" | "detached";
}

/**
 * ALTER TABLE … DETACH PARTITION … CONCURRENTLY: what it left pending is finalized, as the manual says (ALTER TABLE), also where
 * another tool left it.
 */
export const detachPartition: Kind<Act> = {
  async note(session, act) {
    const { parent, partition, state } = await look(session, act);
    return {
      parent: parent === null ? null : qualified(parent.schema, parent.name),
      partition: partition === null ? null : qualified(partition.schema, partition.name),
      attached: state !== "detached",
    };
  },
  async prepare(scene, act) {
    return (await finalized(scene, act)) ? done(DETACHED) : null;
  },
  async settle(scene, act, { note, reported }) {
    if (await finalized(scene, act)) return done(DETACHED);
    const { parent, partition, state } = await look(scene.context.session, act);
    if (state === "attached") return notDone(`${act.partition.name} is still attached`);
    if (note?.attached === false) return notDone(`${act.partition.name} was not attached before`);
    if (reported && note === null) return notDone("it had failed");
    if (parent === null || partition === null)
      return unclear(`${(parent === null ? act.parent : act.partition).name} is not there any more`);
    return done(`${act.partition.name} is detached`);
  },
};

const DETACHED = "its detachment was pending and has been finalized";

/**
 * The detachment that a statement is, which is patient until nobody uses the table any more, and then takes ACCESS EXCLUSIVE on the
 * partition: who uses that by its own name is waited for in the queue, where others queue behind (measured on 14–18).
 */
export async function detachmentIn(statement: Statement): Promise<Act | null> {
  if (!statement.patient || statement.tag !== "ALTER TABLE") return null;
  const act = await wayToDecide(statement);
  return act?.kind === "detach" ? act : null;
}

/** Finalizes a detachment that is pending. @returns whether it was. @throws as `waitForOthers` and `complete`. */
export async function finalized(scene: Scene, act: Act): Promise<boolean> {
  for (;;) {
    const { parent, partition, state } = await look(scene.context.session, act);
    if (parent === null || partition === null || state !== "pending") return false;
    const what = `the detachment of ${partition.name}`;
    if (await waitForOthers(scene, parent.oid, `${what} is pending`)) continue;
    const names = [parent, partition].map(({ schema, name }) => qualified(schema, name));
    await complete(scene, `ALTER TABLE ${names[0]} DETACH PARTITION ${names[1]} FINALIZE`, {
      why: `${what} had to be finalized`,
      blocks: true,
    });
    return true;
  }
}

async function look(session: Session, act: Act): Promise<Sight> {
  const parent = await findRelation(session, act.parent);
  const partition = await findRelation(session, act.partition);
  if (parent === null || partition === null) return { parent, partition, state: "detached" };
  const [row] = await session.rows(
    "SELECT inhdetachpending AS pending FROM pg_catalog.pg_inherits WHERE inhparent = $1::oid AND inhrelid = $2::oid",
    [parent.oid, partition.oid],
  );
  const state = row === undefined ? "detached" : row.pending === "t" ? "pending" : "attached";
  return { parent, partition, state };
}
