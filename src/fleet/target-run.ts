import { monotonicMs } from "../core/clock.ts";
import type { GodwitError } from "../core/error.ts";
import type { MigrationOutcome } from "../execute/run-migration.ts";
import type { Direction } from "../core/events.ts";
import type { FleetIo } from "./io.ts";
import type { AppliedMigration, TargetRunResult } from "./results.ts";
import type { Target } from "./target.ts";

/** Collects what happened on one target, so that it is known however the run ends. */
export class TargetRun {
  readonly target: Target;
  readonly #started = monotonicMs();
  #migrations: AppliedMigration[] = [];
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
    if (this.#unfinished === outcome.id) this.#unfinished = null;
  }

  /** Whether it is known to be done. */
  has({ id, kind }: Pick<MigrationOutcome, "id" | "kind">, direction: Direction): boolean {
    return this.#migrations.some((one) => one.id === id && one.kind === kind && one.direction === direction);
  }

  /** Strikes out what was done and, as `isSo` says of the last that was done to a migration, is not so any more. */
  strikeOut(isSo: (done: AppliedMigration) => boolean): readonly AppliedMigration[] {
    const last = new Map(this.#migrations.map((one) => [`${one.kind} ${one.id}`, one]));
    const gone = new Set([...last.values()].filter((one) => !isSo(one)));
    this.#migrations = this.#migrations.filter((one) => !gone.has(one));
    return [...gone];
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

  countOf(direction: Direction): number {
    return this.#migrations.filter((one) => one.direction === direction).length;
  }

  result(): TargetRunResult {
    return {
      target: this.target.id,
      stream: this.target.stream.name,
      database: this.target.label,
      migrations: this.#migrations,
      durationMs: monotonicMs() - this.#started,
      warnings: this.#warnings,
      error: this.error,
      unfinished: this.#unfinished,
      skipped: this.skipped,
    };
  }
}
