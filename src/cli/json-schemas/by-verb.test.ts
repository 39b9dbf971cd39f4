import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import type * as z from "zod";
import type {
  DevStatus,
  GraphResult,
  HistoryResult,
  InitResult,
  LockBlockersResult,
  LockReleaseResult,
  LockStatusResult,
  NewResult,
  PlanResult,
  RepairResult,
  RunResult,
  StatusResult,
  VerifyResult,
  WaitResult,
} from "../../api/types.ts";
import type { GodwitError } from "../../core/error.ts";
import { VERBS } from "../verbs.ts";
import { type DATA_SCHEMAS, JSON_VERBS, type JsonVerb, publishedSchema } from "./by-verb.ts";
import type { lockBlockersSchema, lockReleaseSchema, lockStatusSchema } from "./lock.ts";
import type { devServerSchema } from "./project.ts";
import type { errorSchema } from "./envelope.ts";

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Uppercase<Head>
    ? Head extends Lowercase<Head>
      ? `${Head}${Snake<Tail>}`
      : `_${Lowercase<Head>}${Snake<Tail>}`
    : `${Head}${Snake<Tail>}`
  : S;
/** A type as it appears in JSON: what `toSnakeCase` makes of its values. */
type Json<T> = T extends GodwitError
  ? z.infer<typeof errorSchema>
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { -readonly [K in keyof T as K extends string ? Snake<K> : never]: Json<T[K]> }
      : T;
type Data<V extends JsonVerb> = z.infer<(typeof DATA_SCHEMAS)[V]>;

const folder = new URL("../../../docs/json/", import.meta.url);
const verbs = JSON_VERBS;

describe("the schemas of --json", () => {
  it("cover every verb but help", () => {
    expect(verbs.toSorted()).toEqual(
      VERBS.map(({ name }) => name)
        .filter((name) => name !== "help")
        .toSorted(),
    );
  });

  it.each(verbs)("docs/json/%s.schema.json is what the script writes", (verb) => {
    expect(readFileSync(new URL(`${verb}.schema.json`, folder), "utf8")).toBe(publishedSchema(verb));
  });

  it("has no file of a verb that is gone", () => {
    expect(readdirSync(folder).toSorted()).toEqual(verbs.map((verb) => `${verb}.schema.json`).toSorted());
  });

  it("agree with the types of the library", () => {
    expectTypeOf<Json<RunResult>>().toEqualTypeOf<Data<"up">>();
    expectTypeOf<Json<StatusResult>>().toEqualTypeOf<Data<"status">>();
    expectTypeOf<Json<PlanResult>>().toExtend<Data<"plan">>();
    expectTypeOf<Data<"plan">>().toExtend<Json<PlanResult>>();
    expectTypeOf<Json<HistoryResult>>().toEqualTypeOf<Data<"history">>();
    expectTypeOf<Json<GraphResult>>().toEqualTypeOf<Data<"graph">>();
    expectTypeOf<Json<VerifyResult>>().toEqualTypeOf<Data<"verify">>();
    expectTypeOf<Json<RepairResult>>().toEqualTypeOf<Data<"repair">>();
    expectTypeOf<Json<WaitResult>>().toEqualTypeOf<Data<"wait">>();
    expectTypeOf<Json<NewResult>>().toEqualTypeOf<Data<"new">>();
    expectTypeOf<Json<InitResult>>().toEqualTypeOf<Data<"init">>();
    expectTypeOf<Json<LockStatusResult>>().toEqualTypeOf<z.infer<typeof lockStatusSchema>>();
    expectTypeOf<Json<LockReleaseResult>>().toEqualTypeOf<z.infer<typeof lockReleaseSchema>>();
    expectTypeOf<Json<LockBlockersResult>>().toEqualTypeOf<z.infer<typeof lockBlockersSchema>>();
    expectTypeOf<Json<DevStatus>>().toEqualTypeOf<z.infer<typeof devServerSchema>>();
  });
});
