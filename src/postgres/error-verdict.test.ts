import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { GodwitError } from "../core/error.ts";
import { ConnectFailure } from "./connecting/connect-failure.ts";
import { unreachable } from "./connecting/unreachable.ts";
import { acceptsNoWrites, verdictOf, type Verdict } from "./error-verdict.ts";
import type { ConnectionSettings } from "./types.ts";

function ours(code: ErrorCode, sqlstate?: string): GodwitError {
  return new GodwitError(code, "it went wrong", sqlstate === undefined ? {} : { sqlstate });
}

function servers(sqlstate: string): Error {
  return Object.assign(new Error("it went wrong"), { code: sqlstate, severity: "ERROR" });
}

function systems(code: string): Error {
  return Object.assign(new Error("it went wrong"), { code });
}

function searched(retryable: boolean): GodwitError {
  const settings = { hosts: [{}], passwords: [], sslpassword: null } as unknown as ConnectionSettings;
  const failure = new ConnectFailure("it went wrong", { next: "address", retryable });
  return unreachable(
    settings,
    [
      { server: "a", failure },
      { server: "b", failure },
    ],
    null,
  );
}

const CASES: readonly (readonly [what: string, error: unknown, verdict: Verdict])[] = [
  ["the network reset the connection", ours("CONNECTION_LOST"), "retry"],
  ["pg_terminate_backend, a fast shutdown", ours("CONNECTION_LOST", "57P01"), "retry"],
  ["the crash of another backend", ours("CONNECTION_LOST", "57P02"), "retry"],
  ["idle_session_timeout", ours("CONNECTION_LOST", "57P05"), "retry"],
  ["idle_in_transaction_session_timeout", ours("CONNECTION_LOST", "25P03"), "retry"],
  ["a pooler that lost its server", ours("CONNECTION_LOST", "08P01"), "retry"],
  ["a conflict with recovery that ends the session", ours("CONNECTION_LOST", "40001"), "retry"],
  ["the database was dropped", ours("CONNECTION_LOST", "57P04"), "stop"],
  ["transaction_timeout", ours("CONNECTION_LOST", "25P04"), "stop"],
  ["data corrupted", ours("CONNECTION_LOST", "XX001"), "stop"],
  ["no server that may come back", searched(true), "retry"],
  ["no server that will do", searched(false), "stop"],
  ["another run took over", ours("LOCK_LOST"), "retry"],
  ["another run is at work for too long", ours("LOCK_BUSY"), "stop"],
  ["the history is on a standby", ours("PERMISSION_DENIED", "25006"), "retry"],
  ["a right is missing", ours("PERMISSION_DENIED", "42501"), "stop"],
  ["a statement wrote in a read-only transaction", ours("MIGRATION_FAILED", "25006"), "stop"],
  ["a serializable transaction that was in the way to the end", ours("MIGRATION_FAILED", "40001"), "stop"],
  ["Godwit's own in a serializable transaction", servers("40001"), "retry"],
  ["the disk is full", ours("MIGRATION_FAILED", "53100"), "stop"],
  ["memory is short, or max_locks_per_transaction", ours("MIGRATION_FAILED", "53200"), "stop"],
  ["a foreign server does not answer", ours("MIGRATION_FAILED", "08001"), "stop"],
  ["duplicates", ours("MIGRATION_FAILED", "23505"), "stop"],
  ["locks on objects, whose attempts are over", ours("OBJECT_LOCK_TIMEOUT", "55P03"), "stop"],
  ["an edited file", ours("CHECKSUM_MISMATCH"), "stop"],
  ["Ctrl-C", ours("INTERRUPTED"), "stop"],
  ["what the catalog cannot tell", ours("NEEDS_REPAIR"), "person"],
  ["too many connections", servers("53300"), "retry"],
  ["the server is starting up", servers("57P03"), "retry"],
  ["a read-only server", servers("25006"), "retry"],
  ["a damaged index", servers("XX002"), "stop"],
  ["a syntax error", servers("42601"), "stop"],
  ["connection refused", systems("ECONNREFUSED"), "retry"],
  ["connection reset", systems("ECONNRESET"), "retry"],
  ["a file that may not be read", systems("EACCES"), "stop"],
  ["a defect", new TypeError("x is not a function"), "stop"],
  ["anything", "a text", "stop"],
];

describe("the verdict on an error", () => {
  it.each(CASES)("%s", (_, error, verdict) => {
    expect(verdictOf(error)).toBe(verdict);
  });

  it("tells a server that takes no writes from a missing right", () => {
    expect(acceptsNoWrites(ours("PERMISSION_DENIED", "25006"))).toBe(true);
    expect(acceptsNoWrites(ours("PERMISSION_DENIED", "42501"))).toBe(false);
    expect(acceptsNoWrites(ours("MIGRATION_FAILED", "25006"))).toBe(false);
  });
});
