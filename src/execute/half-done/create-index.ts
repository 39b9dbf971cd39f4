import type { StepNote } from "../../history/types.ts";
import type { StandAloneAct } from "../../sql/stand-alone-act.ts";
import { qualified } from "../../sql/quote.ts";
import { dropInvalid, findIndexes, findRelation, type Relation, type TableIndex } from "./indexes.ts";
import { done, notDone, unclear, type Kind, type Past, type Scene, type Verdict } from "./kind.ts";
import { sameIndexes } from "./same-index.ts";

type Act = Extract<StandAloneAct, { kind: "create index" }>;

/**
 * CREATE INDEX CONCURRENTLY: a valid index counts as done only if it is what the statement makes and was not there before;
 * an INVALID one is dropped, once nobody is building it. Before the statement is run, which indexes the table has is noted: so
 * one whose name the server chose is known again.
 */
export const createIndex: Kind<Act> = {
  async note(session, { table }) {
    const relation = await findRelation(session, table);
    if (relation === null) return null;
    const indexes = await findIndexes(session, "i.indrelid = $1::oid", [relation.oid]);
    const { schema, name } = relation;
    return { schema, table: name, indexes: indexes.map((one) => one.name) };
  },
  async prepare(scene, act) {
    if (act.name === null) return null;
    const relation = await findRelation(scene.context.session, act.table);
    if (relation === null) return null;
    // With IF NOT EXISTS the server would be content with it.
    for (;;) {
      const found = await named(scene, relation, act.name);
      if (found === null || found.valid || (await dropInvalid(scene, found))) return null;
    }
  },
  async settle(scene, act, past) {
    const relation = await findRelation(scene.context.session, tableOf(act, past.note));
    if (relation === null) return notDone(`its table ${act.table.name} is not there`);
    return act.name === null
      ? settleNameless(scene, relation, past)
      : settleNamed(scene, relation, act.name, past);
  },
};

/** The table as it was found then: since, search_path may lead to another one. */
function tableOf({ table }: Act, note: StepNote | null): Act["table"] {
  if (typeof note?.schema !== "string" || typeof note.table !== "string") return table;
  return { schema: note.schema, name: note.table };
}

/** The names of the indexes that the table had before; null: nothing was noted. */
function namesBefore(note: StepNote | null): readonly unknown[] | null {
  return Array.isArray(note?.indexes) ? note.indexes : null;
}

async function named({ context }: Scene, table: Relation, name: string): Promise<TableIndex | null> {
  const condition = "i.indrelid = $1::oid AND c.relname = $2";
  const [found] = await findIndexes(context.session, condition, [table.oid, name]);
  return found ?? null;
}

async function settleNamed(scene: Scene, table: Relation, name: string, past: Past): Promise<Verdict> {
  for (;;) {
    const found = await named(scene, table, name);
    if (found === null) return notDone(`index ${name} is not there`);
    if (found.valid) return settleValid(scene, table, found, past);
    if (await dropInvalid(scene, found))
      return notDone(`index ${name} was left INVALID and has been dropped`);
  }
}

async function settleValid(scene: Scene, table: Relation, found: TableIndex, past: Past): Promise<Verdict> {
  // One that failed left no valid index: this one was there before and may be another.
  if (past.reported) return notDone("it had failed");
  const { name } = found;
  if (namesBefore(past.note)?.includes(name) === true) return notDone(`index ${name} was there before`);
  const same = await sameIndexes(scene.context.session, scene.statement.sql, table, [found]);
  if (same?.length === 1) return done(`index ${name} is there and valid`);
  return unclear(
    same === null
      ? `index ${name} is there and valid, and whether it is what the statement makes could not be found out`
      : `index ${name} is there and valid, but it is not what the statement makes: look at it with \\d ${qualified(found.schema, name)}`,
  );
}

async function settleNameless(scene: Scene, table: Relation, past: Past): Promise<Verdict> {
  const before = namesBefore(past.note);
  const { session } = scene.context;
  let dropped = 0;
  for (;;) {
    const all = await findIndexes(session, "i.indrelid = $1::oid", [table.oid]);
    const fresh = all.filter(({ name }) => before?.includes(name) !== true);
    const same = await sameIndexes(session, scene.statement.sql, table, fresh);
    if (same === null)
      return unclear("whether one of the indexes of its table is what it makes could not be found out");
    const invalid = same.find(({ valid }) => !valid);
    if (invalid === undefined) {
      const [made] = past.reported ? [] : same;
      if (made !== undefined && before === null)
        return unclear(`index ${made.name} is there and valid, and may have been there before`);
      if (made !== undefined) return done(`index ${made.name} is there and valid`);
      return notDone(
        dropped === 0 ? "no index of it is there" : "the index that it left INVALID has been dropped",
      );
    }
    if (await dropInvalid(scene, invalid)) dropped += 1;
  }
}
