import { describe, expect, it } from "vitest";
import { lockTablesSql } from "./take-locks.ts";

const lock = (name: string, depth = 0, mode = "ACCESS EXCLUSIVE" as const, schema = "public") => ({
  schema,
  name,
  mode,
  depth,
});

describe("the locks at the beginning of a transaction", () => {
  it("are taken in an order that does not depend on the statements", () => {
    const both = [lock("a"), lock("b")];
    expect(lockTablesSql(both)).toEqual(["LOCK TABLE ONLY public.a, ONLY public.b IN ACCESS EXCLUSIVE MODE"]);
    expect(lockTablesSql(both.toReversed())).toEqual(lockTablesSql(both));
  });

  it("take a referenced table before those that refer to it, also when one in between is missing", () => {
    expect(lockTablesSql([lock("a_child", 2), lock("z_root", 0)])[0]).toContain(
      "public.z_root, ONLY public.a_child",
    );
  });

  it("keep the order where modes differ", () => {
    const share = { ...lock("b"), mode: "SHARE" as const };
    expect(lockTablesSql([lock("c"), share, lock("a")])).toEqual([
      "LOCK TABLE ONLY public.a IN ACCESS EXCLUSIVE MODE",
      "LOCK TABLE ONLY public.b IN SHARE MODE",
      "LOCK TABLE ONLY public.c IN ACCESS EXCLUSIVE MODE",
    ]);
  });

  it("quote names", () => {
    expect(lockTablesSql([lock('we"ird', 0, "ACCESS EXCLUSIVE", "My")])[0]).toContain('ONLY "My"."we""ird"');
  });

  it("are none for nothing", () => {
    expect(lockTablesSql([])).toEqual([]);
  });
});
