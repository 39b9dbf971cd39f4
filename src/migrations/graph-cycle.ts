import { GodwitError, type Location } from "../core/error.ts";
import type { GraphMigration, GraphStream } from "./graph.ts";
import { keyOf } from "./migration-key.ts";

interface Step {
  readonly key: string;
  readonly path: string | null;
  /** Why this one waits for the next. */
  readonly why: string;
  readonly location: Location | undefined;
}
interface Edge {
  readonly to: string;
  readonly why: string;
  readonly location?: Location | undefined;
}

/**
 * Explains why the migrations cannot be ordered. Only called when they cannot.
 * @param streams with their migrations sorted by id, every requirement known.
 * @returns GRAPH_CYCLE with a shortest circle through its first member: who waits for whom, why, and the files.
 */
export function findCycle(streams: readonly GraphStream[]): GodwitError {
  const circle = shortestCircle(streams);
  const names = circle.map(({ key }) => key);
  const lines = circle.map(({ key, why, path }) => `${key} ${why}${path === null ? "" : `  (${path})`}`);
  const location = circle.find((step) => step.location !== undefined)?.location;
  return new GodwitError(
    "GRAPH_CYCLE",
    `migrations require each other in a circle: ${[...names, names[0]].join(" → ")}`,
    {
      detail: lines.join("\n"),
      hint: "remove one of these requirements, or add `-- godwit:requires <id>` to the one that requires too much",
      ...(location === undefined ? {} : { location }),
    },
  );
}

/** Once a circle is known, how many further starts are tried for a shorter one. */
const FURTHER_STARTS = 50;

function shortestCircle(streams: readonly GraphStream[]): Step[] {
  const places = new Places(streams);
  let best: Step[] = [];
  let further = 0;
  for (const start of places.candidates) {
    const circle = circleThrough(start, places);
    if (circle !== null && (best.length === 0 || circle.length < best.length)) best = circle;
    if (best.length > 0 && (best.length <= 2 || ++further > FURTHER_STARTS)) break;
  }
  return best;
}

/** Breadth first; edges are made when needed, and those that lead only to what was seen are left out. */
function circleThrough(start: string, places: Places): Step[] | null {
  const cameFrom = new Map<string, { from: string; edge: Edge }>();
  const search = new Search(places);
  const queue = [start];
  for (const current of queue) {
    for (const edge of search.edges(current)) {
      if (cameFrom.has(edge.to)) continue;
      cameFrom.set(edge.to, { from: current, edge });
      if (edge.to === start) return walkBack(start, cameFrom, places);
      queue.push(edge.to);
    }
  }
  return null;
}

function walkBack(
  start: string,
  cameFrom: ReadonlyMap<string, { from: string; edge: Edge }>,
  places: Places,
): Step[] {
  const steps: Step[] = [];
  let key = start;
  do {
    const { from, edge } = cameFrom.get(key)!;
    const path = places.get(from).migration.path ?? null;
    steps.unshift({ key: from, path, why: edge.why, location: edge.location });
    key = from;
  } while (key !== start);
  return steps;
}

interface Place {
  readonly stream: GraphStream;
  readonly index: number;
  readonly migration: GraphMigration;
}

class Places {
  readonly streams: ReadonlyMap<string, GraphStream>;
  /** Every circle has a migration that another requires by name: order alone makes none. */
  readonly candidates = new Set<string>();
  readonly #places = new Map<string, Place>();

  constructor(streams: readonly GraphStream[]) {
    this.streams = new Map(streams.map((stream) => [stream.name, stream]));
    for (const stream of streams) {
      for (const [index, migration] of stream.migrations.entries()) {
        this.#places.set(keyOf(stream.name, migration.id), { stream, index, migration });
        for (const { stream: name, id } of migration.requires ?? []) this.candidates.add(keyOf(name, id));
      }
    }
  }

  get(key: string): Place {
    return this.#places.get(key)!;
  }

  /** Streams that go before this one, also by way of others. */
  before(stream: GraphStream): Set<string> {
    const names = new Set(stream.after);
    for (const name of names) for (const earlier of this.streams.get(name)!.after) names.add(earlier);
    return names;
  }
}

/** One search under way: remembers which ranges of a stream it has been shown already. */
class Search {
  readonly #places: Places;
  readonly #shown = new Map<string, number>();

  constructor(places: Places) {
    this.#places = places;
  }

  *edges(key: string): Iterable<Edge> {
    const { stream, index, migration } = this.#places.get(key);
    for (const { stream: name, id, location } of migration.requires ?? []) {
      yield { to: keyOf(name, id), why: `requires ${keyOf(name, id)}`, location };
    }
    if (migration.requires === null) {
      for (const to of this.#unseen(stream, index)) {
        yield { to, why: `requires every earlier id of its stream, ${to} too` };
      }
    }
    for (const name of this.#places.before(stream)) {
      const earlier = this.#places.streams.get(name)!;
      for (const to of this.#unseen(earlier, earlier.migrations.length)) {
        yield { to, why: `waits for ${to}, since stream ${stream.name} goes after ${name}` };
      }
    }
  }

  /** The first `end` migrations of a stream, but for those given before. */
  *#unseen(stream: GraphStream, end: number): Iterable<string> {
    const start = this.#shown.get(stream.name) ?? 0;
    if (end <= start) return;
    this.#shown.set(stream.name, end);
    for (const { id } of stream.migrations.slice(start, end)) yield keyOf(stream.name, id);
  }
}
