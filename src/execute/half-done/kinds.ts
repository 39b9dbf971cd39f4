import type { StepNote } from "../../history/types.ts";
import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { again } from "./again.ts";
import { createIndex } from "./create-index.ts";
import { createShared, dropShared } from "./shared-objects.ts";
import { detachPartition } from "./detach-partition.ts";
import { dropIndex } from "./drop-index.ts";
import type { Kind, Past, Scene, Verdict } from "./kind.ts";
import { publications } from "./publications.ts";
import { reindex } from "./reindex.ts";

type ActOf<K extends StandAloneAct["kind"]> = Extract<StandAloneAct, { readonly kind: K }>;

const KINDS: { readonly [K in StandAloneAct["kind"]]: Kind<ActOf<K>> } = {
  "create index": createIndex,
  "drop index": dropIndex,
  reindex,
  detach: detachPartition,
  create: createShared,
  drop: dropShared,
  publications,
  again,
};

function kindOf(act: StandAloneAct): Kind<StandAloneAct> {
  return KINDS[act.kind];
}

/** See `Kind.note`. */
export async function noteBefore(scene: Scene, act: StandAloneAct): Promise<StepNote | null> {
  return (await kindOf(act).note?.(scene.context.session, act)) ?? null;
}

/** See `Kind.prepare`. */
export async function prepare(scene: Scene, act: StandAloneAct): Promise<Verdict | null> {
  return (await kindOf(act).prepare?.(scene, act)) ?? null;
}

/** See `Kind.settle`. */
export async function settle(scene: Scene, act: StandAloneAct, past: Past): Promise<Verdict> {
  return kindOf(act).settle(scene, act, past);
}
