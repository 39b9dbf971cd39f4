import { expect, it } from "vitest";
import { describeHolder, sayHolder, type LockHolder } from "./holder.ts";

const holder: LockHolder = { pid: 2647, host: "build-7", runId: null, heldSeconds: 2.4, query: null };
const unseen: LockHolder = { ...holder, host: null, heldSeconds: null };

it("is a line about who holds a lock", () => {
  expect(describeHolder(holder)).toBe("backend 2647 on build-7, for 2 s");
  expect(describeHolder(unseen)).toBe("backend 2647");
});

it("is a sentence that reads as one", () => {
  expect(sayHolder(holder, "x")).toBe('backend 2647 on build-7 has held the lock of "x" for 2 s');
  expect(sayHolder(unseen, "x")).toBe('backend 2647 holds the lock of "x"');
  expect(sayHolder(null, "x")).toBe('another run holds the lock of "x"');
});
