import { describe, expect, it } from "vitest";
import type { LockHolderStatus, LockStatusResult, TargetLockStatus } from "../../api/types.ts";
import { viewContextOf } from "../testing/view-context.ts";
import { renderLockStatus } from "./lock-status.ts";

const holder: LockHolderStatus = {
  runId: "0197c2f4-1c3e-7d2a-9e3f-25420d980768",
  command: "up",
  osUser: "deploy",
  host: "build-7",
  backendPid: 4711,
  acquiredAt: "2026-03-01T11:59:12.000000Z",
  heldMs: 48_000,
  renewedAt: "2026-03-01T11:59:58.000000Z",
  expiresAt: null,
  activity: {
    pid: 4711,
    state: "active",
    query: "CREATE INDEX CONCURRENTLY i\u001b[31m ON t (a)",
    stateMs: 3200,
    transactionMs: 3200,
    waitsFor: [{ pid: 4712, applicationName: "psql", query: "UPDATE t SET a = 1" }],
    keptOut: null,
  },
  progress: { done: 3, lastDone: "3_c", remaining: 2, current: "4_d", stepsDone: 1, steps: 3 },
};

function shown(more: Partial<TargetLockStatus> = {}, width = 0): string {
  const target: TargetLockStatus = {
    target: "shop",
    stream: "shop",
    database: "shop on localhost",
    holding: "held",
    because: "its session holds it",
    provider: "advisory",
    token: 7,
    holder,
    queue: [],
    ...more,
  };
  const result: LockStatusResult = { targets: [target] };
  return renderLockStatus(result, viewContextOf({ width }));
}

describe("the state of a lock", () => {
  it("of a holder tells who it is, what it does and how far it is", () => {
    expect(shown()).toBe(`shop: shop on localhost
  ● held by run 25420d980768 of deploy@build-7 for 48.0 s
      up, backend 4711, advisory lock, token 7, since 2026-03-01 11:59:12Z
      at 4_d; 3 of 5 done, 1 of 3 steps of it
      has run for 3.2 s: CREATE INDEX CONCURRENTLY i ON t (a)
      waits for backend 4712 (psql): UPDATE t SET a = 1
next: godwit lock blockers
`);
  });

  it("of who stays out of a queue says for what, and between two statements shows none of Godwit's own", () => {
    const idle = { ...holder.activity!, state: "idle", query: null, stateMs: 1300, waitsFor: [] };
    const keptOut = { migration: "4_d", mode: "AccessExclusiveLock", relation: "public.t", pids: [31449, 0] };
    expect(shown({ holder: { ...holder, activity: { ...idle, keptOut } } })).toContain(
      "      stays out of the queue for AccessExclusiveLock on public.t, held by backend 31449, a prepared transaction\n" +
        "next: godwit lock blockers\n",
    );
    expect(shown({ holder: { ...holder, activity: idle } })).toContain(
      "      idle for 1.3 s, between two statements\n",
    );
    const query = `SELECT ${"x, ".repeat(200)}y`;
    const long = shown({ holder: { ...holder, activity: { ...holder.activity!, query } } });
    expect(Math.max(...long.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(160);
  });

  it("of a lease tells until when it lasts; without a session of its own, nothing of one", () => {
    const lease = shown({
      provider: "lease",
      holder: {
        ...holder,
        backendPid: null,
        activity: null,
        expiresAt: "2026-03-01T12:00:13.5Z",
        progress: null,
      },
    });
    expect(lease).toContain(
      "      up, lease, token 7, since 2026-03-01 11:59:12Z, good until 2026-03-01 12:00:13Z\n",
    );
  });

  it("that nobody holds, or nobody any more, says why", () => {
    expect(shown({ holding: "free", holder: null, because: "given back" })).toContain(
      "  ✓ free (given back)\n",
    );
    const stale = shown({
      holding: "stale",
      because: "backend 4711 is gone",
      holder: { ...holder, activity: null },
    });
    expect(stale).toContain(
      "  ! stale: backend 4711 is gone; it was held by run 25420d980768 of deploy@build-7\n",
    );
    expect(stale).toMatch(/the next run takes it by itself\nnext: godwit up\n$/);
  });

  it("says so where the role may not see, and where the holder is not known yet", () => {
    const nothing = {
      pid: 9,
      state: null,
      query: null,
      stateMs: null,
      transactionMs: null,
      waitsFor: [],
      keptOut: null,
    };
    const unknown = shown({
      holder: {
        ...holder,
        runId: null,
        command: null,
        osUser: null,
        host: null,
        backendPid: 9,
        acquiredAt: null,
        heldMs: null,
        activity: nothing,
        progress: null,
      },
    });
    expect(unknown).toBe(`shop: shop on localhost
  ● held by backend 9
      backend 9, advisory lock
      this role may not see what it runs
`);
  });

  it("keeps to the width of a terminal", () => {
    const lines = shown({ queue: [{ pid: 1, applicationName: "psql", query: "x".repeat(300) }] }, 60).split(
      "\n",
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });
});
