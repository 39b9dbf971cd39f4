import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { findRelation } from "./indexes.ts";
import { done, notDone, type Kind } from "./kind.ts";

/**
 * DROP INDEX CONCURRENTLY: gone, or still there, be it INVALID since its removal was broken off; then it is dropped again. Where
 * it stood is noted before, since once it is gone search_path may lead to another one of the same name.
 */
export const dropIndex: Kind<Extract<StandAloneAct, { kind: "drop index" }>> = {
  async note(session, { index }) {
    const found = await findRelation(session, index);
    return { schema: found?.schema ?? null };
  },
  async settle({ context }, { index }, { note, reported }) {
    const schema = typeof note?.schema === "string" ? note.schema : null;
    if (note !== null && schema === null) return notDone(`index ${index.name} was not there before`);
    const found = await findRelation(context.session, { schema: schema ?? index.schema, name: index.name });
    if (found !== null) return notDone(`index ${index.name} is still there`);
    return note === null && reported ? notDone("it had failed") : done(`index ${index.name} is gone`);
  },
};
