import type { GodwitEvent } from "../../core/events.ts";

/** Knows from its events whether a step of a migration that failed is done and stays. */
export class PartDone {
  readonly #begun = new Set<string>();
  readonly #failed = new Set<string>();

  /** To be told of every event, in order. */
  see(event: GodwitEvent): void {
    if (event.type === "migration.started") {
      this.#begun.delete(key(event));
      this.#failed.delete(key(event));
    } else if (
      event.type === "statement.finished" ||
      event.type === "statement.skipped" ||
      event.type === "statement.tolerated"
    ) {
      this.#begun.add(key(event));
    } else if (event.type === "migration.finished") {
      this.#begun.delete(key(event));
    } else if (event.type === "migration.failed" && this.#begun.delete(key(event)) && !event.rolledBack) {
      this.#failed.add(key(event));
    }
  }

  /** Whether a migration failed behind steps of it that are done. */
  has(target: string, id: string): boolean {
    return this.#failed.has(key({ target, id }));
  }
}

function key({ target, id }: { readonly target: string; readonly id: string }): string {
  return `${target}\n${id}`;
}
