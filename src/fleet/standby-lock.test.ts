import { expect, it } from "vitest";
import type { LockState } from "../lock/state.ts";
import { asOnStandby } from "./standby-lock.ts";

const state: LockState = {
  key: "default",
  provider: "advisory",
  token: 3,
  runId: "0197c2f4-1c3e-7d2a-9e3f-25420d980768",
  host: "build-7",
  backendPid: 4711,
  backendStart: "2026-03-01T11:59:00.000000Z",
  acquiredAt: "2026-03-01T11:59:00.000000Z",
  renewedAt: "2026-03-01T11:59:30.000000Z",
  expiresAt: null,
  heldSeconds: 60,
  holding: "stale",
  because: "backend 4711 is gone",
};

it("believes the row of a lock whose session only the primary sees", () => {
  expect(asOnStandby(state)).toMatchObject({ holding: "held", because: expect.stringContaining("primary") });
  const lease: LockState = { ...state, provider: "lease", expiresAt: "2026-03-01T12:00:01.000000Z" };
  expect(asOnStandby(lease).holding).toBe("held");
});

it("leaves what is over as it is", () => {
  const over: LockState = { ...state, provider: "lease", expiresAt: "2026-03-01T11:59:59.000000Z" };
  expect(asOnStandby(over)).toBe(over);
  const free: LockState = { ...state, holding: "free", expiresAt: "2026-03-01T11:59:59.000000Z" };
  expect(asOnStandby(free)).toBe(free);
});
