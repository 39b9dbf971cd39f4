import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { notDone, type Kind } from "./kind.ts";

/** What may simply be run again, whatever became of it. */
export const again: Kind<Extract<StandAloneAct, { kind: "again" }>> = {
  async settle(_scene, { tag }) {
    return notDone(`${tag} may be run again`);
  },
};
