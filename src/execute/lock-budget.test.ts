import { describe, expect, it } from "vitest";
import { pauseMs, queueBudgetMs } from "./lock-budget.ts";

describe("the time in the queue for a lock", () => {
  it("doubles with each attempt up to 400 ms", () => {
    expect([1, 2, 3, 4, 5, 60].map((attempt) => queueBudgetMs(attempt, 500))).toEqual([
      50, 100, 200, 400, 400, 400,
    ]);
  });

  it("is never longer than configured", () => {
    expect([1, 2, 3, 4].map((attempt) => queueBudgetMs(attempt, 120))).toEqual([50, 100, 120, 120]);
    expect(queueBudgetMs(1, 10)).toBe(10);
  });

  it("has no limit where the configuration has none", () => {
    expect(queueBudgetMs(3, 0)).toBe(0);
  });
});

describe("the time out of the queue", () => {
  it("is at least ten times what was spent in it", () => {
    for (const queued of [0, 50, 400, 900]) {
      for (const random of [0, 0.5, 0.999]) {
        expect(pauseMs(null, queued, random)).toBeGreaterThanOrEqual(queued * 10);
      }
    }
  });

  it("is spread between 100 ms and three times the one before", () => {
    expect(pauseMs(null, 0, 0)).toBe(100);
    expect(pauseMs(null, 0, 1)).toBe(300);
    expect(pauseMs(1000, 0, 0)).toBe(100);
    expect(pauseMs(1000, 0, 1)).toBe(3000);
  });

  it("grows to no more than 5 s, unless the queue took longer", () => {
    expect(pauseMs(4000, 0, 1)).toBe(5000);
    expect(pauseMs(4000, 900, 1)).toBe(9000);
  });
});
