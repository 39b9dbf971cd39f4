import type { GodwitError } from "../core/error.ts";
import { withLockedTarget, type LockedTarget } from "../execute/locked-target.ts";
import type { MigrationOutcome } from "../execute/run-migration.ts";
import type { HistorySnapshot } from "../history/read.ts";
import type { Direction } from "../core/events.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import type { FleetIo } from "./io.ts";
import type { AppliedMigration, TargetRunResult } from "./results.ts";
import type { Target } from "./target.ts";

/** How long a migration's transaction is tried again when a lock on an object cannot be had. */
const LOCK_RETRY_MS = 60_000;

/** Collects what happened on one target, so that it is known however the run ends. */
export class TargetRun {
  readonly target: Target;
  readonly #started = performance.now();
  readonly #migrations: AppliedMigration[] = [];
  readonly #warnings: string[] = [];
  #rolledBack = false;
  error: GodwitError | null = null;
  #unfinished: string | null = null;
  skipped: string | null = null;

  constructor(target: Target) {
    this.target = target;
  }

  add(outcome: MigrationOutcome, direction: Direction): void {
    this.#migrations.push({ ...outcome, direction });
  }

  /** The same, with the run told of its events. */
  following(io: FleetIo): FleetIo {
    return {
      ...io,
      emit: (event) => {
        if (event.type === "migration.failed") this.#rolledBack = event.rolledBack;
        io.emit(event);
      },
    };
  }

  /** Notes a migration of several steps that failed, unless all of it was rolled back. */
  stoppedAt(id: string): void {
    if (!this.#rolledBack) this.#unfinished = id;
  }

  warn(io: FleetIo, warnings: readonly { readonly message: string; readonly hint: string | null }[]): void {
    for (const warning of warnings) {
      if (this.#warnings.includes(warning.message)) continue;
      this.#warnings.push(warning.message);
      io.emit({ type: "warning", target: this.target.id, ...warning });
    }
  }

  get count(): number {
    return this.#migrations.length;
  }

  result(): TargetRunResult {
    return {
      target: this.target.id,
      stream: this.target.stream.name,
      database: this.target.label,
      migrations: this.#migrations,
      durationMs: performance.now() - this.#started,
      warnings: this.#warnings,
      error: this.error,
      unfinished: this.#unfinished,
      skipped: this.skipped,
    };
  }
}

/** `withLockedTarget` with everything that a verb over the fleet has at hand. */
export async function lockTarget<T>(
  io: FleetIo,
  target: Target,
  at: { readonly session: Session; readonly facts: ServerFacts },
  stillNeeded: (snapshot: HistorySnapshot) => boolean,
  body: (locked: LockedTarget) => Promise<T>,
): Promise<T | null> {
  return withLockedTarget(
    {
      ...at,
      scope: target.scope,
      target: target.id,
      run: io.run,
      searchPath: target.searchPath,
      lockTimeoutMs: io.config.safety.lockTimeoutMs,
      statementTimeoutMs: io.config.safety.statementTimeoutMs,
      lockWaitMs: io.lockWaitMs,
      lockRetryMs: io.lockRetryMs ?? LOCK_RETRY_MS,
      signal: io.signal,
      emit: io.emit,
      stillNeeded,
    },
    body,
  );
}
