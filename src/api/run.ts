import type { Emit, GodwitEvent } from "../core/events.ts";
import type { Run } from "./types.ts";

/** Starts `work` at once and gives its result and its events to whoever asks. See `Run`. */
export function startRun<T>(work: (emit: Emit) => Promise<T>): Run<T> {
  const queue = new EventQueue();
  const result = work((event) => queue.push(event)).finally(() => queue.end());
  // Whoever only iterates must not be struck by an unhandled rejection; whoever awaits still gets it.
  result.catch(() => undefined);
  return {
    result,
    then: (onFulfilled, onRejected) => result.then(onFulfilled, onRejected),
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  };
}

/** Events in the order in which they happened, kept until they are taken; each goes to one of those who take them. */
class EventQueue implements AsyncIterable<GodwitEvent> {
  readonly #events: GodwitEvent[] = [];
  #taken = 0;
  #ended = false;
  #change = Promise.withResolvers<void>();

  push(event: GodwitEvent): void {
    this.#events.push(Object.freeze(event));
    this.#changed();
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** Wakes everybody who waits: several may. */
  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<GodwitEvent> {
    for (;;) {
      if (this.#taken < this.#events.length) {
        yield this.#events[this.#taken++]!;
        // What was taken is let go in bulk, so that a long run does not grow.
        if (this.#taken >= 1024) {
          this.#events.splice(0, this.#taken);
          this.#taken = 0;
        }
        continue;
      }
      if (this.#ended) return;
      await this.#change.promise;
    }
  }
}
