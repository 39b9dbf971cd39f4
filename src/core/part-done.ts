import type { GodwitEvent } from "./events.ts";

/** Knows from its events whether something of a migration that failed is done and stays. */
export class PartDone {
  readonly #begun = new Set<string>();
  readonly #failed = new Set<string>();

  /** To be told of every event, in order. */
  see(event: GodwitEvent): void {
    switch (event.type) {
      case "migration.started":
        this.#begun.delete(key(event));
        this.#failed.delete(key(event));
        break;
      case "statement.finished":
      case "statement.skipped":
        this.#begun.add(key(event));
        break;
      case "migration.finished":
        this.#begun.delete(key(event));
        break;
      case "migration.failed":
        if (!event.rolledBack && this.#begun.delete(key(event))) this.#failed.add(key(event));
        break;
      default:
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
