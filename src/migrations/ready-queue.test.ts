import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReadyQueue } from "./ready-queue.ts";

describe("ReadyQueue", () => {
  it("gives back the smallest of what is in it, however pushes and pops are mixed", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(20)), { maxLength: 40 }), (steps) => {
        const queue = new ReadyQueue();
        const inside: number[] = [];
        const given: (number | undefined)[] = [];
        const expected: (number | undefined)[] = [];
        for (const step of [...steps, ...steps.map(() => null)]) {
          if (step === null) {
            given.push(queue.pop());
            expected.push(inside.sort((a, b) => a - b).shift());
          } else {
            queue.push(step);
            inside.push(step);
          }
        }
        expect(given).toEqual(expected);
      }),
    );
  });
});
