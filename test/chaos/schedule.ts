import { CRASH_POINTS, type CrashPoint } from "../../src/core/crash-points.ts";
import type { Kind } from "./migrations.ts";
import { pick, type Random } from "./random.ts";

/**
 * What befalls the holder at a point: `kill` is kill -9, `stop` is SIGSTOP and after a while SIGCONT, `terminate` ends its session
 * in the server, `ask` is SIGTERM, `restart` is an immediate restart of the server.
 */
export type FaultKind = "kill" | "stop" | "terminate" | "ask" | "restart" | RedisFault;

/**
 * What befalls the Redis that keeps the gate: `flush` empties it, `lose` kills it and starts it again empty, `pause` has it answer
 * nobody for a while, `freeze` is SIGSTOP and then SIGCONT.
 */
export type RedisFault = "flush" | "lose" | "pause" | "freeze";

export interface Fault {
  readonly kind: FaultKind;
  readonly place: string;
  /** How long the server goes on by itself before the fault strikes, in milliseconds. */
  readonly delayMs: number;
}

const TRANSACTION: readonly CrashPoint[] = [
  "transaction.begun",
  "transaction.statements-done",
  "transaction.commit-sent",
  "transaction.committed",
];
const STEPS: readonly CrashPoint[] = ["steps.done", "steps.completed"];
const STANDALONE: readonly CrashPoint[] = CRASH_POINTS.filter((point) => point.startsWith("standalone."));

/** The points that each kind of migration must pass; in a bulk its transactions are committed before anything is asked. */
const POINTS_OF: Readonly<Record<Kind, readonly CrashPoint[]>> = {
  quick: ["bulk.sent", "transaction.begun", "transaction.committed"],
  bulk: ["bulk.sent", "transaction.begun", "transaction.committed"],
  index: [...TRANSACTION, ...STANDALONE, ...STEPS],
  enum: [...TRANSACTION, ...STEPS],
  off: [...TRANSACTION, ...STANDALONE, ...STEPS],
  code: ["code.running", ...TRANSACTION],
  validate: [...TRANSACTION, ...STEPS],
  whole: TRANSACTION,
  repeatable: TRANSACTION,
};

/** The points of a run that are about no migration. */
const POINTS_OF_RUN: readonly CrashPoint[] = CRASH_POINTS.filter((point) =>
  /^(?:gate|lock|run|history)\./.test(point),
);

/** A point of a kind of migration: `index standalone.under-way`, or `run.recorded` of a run. */
export function placeOf(point: CrashPoint, kind: Kind | null): string {
  return kind === null ? point : `${kind} ${point}`;
}

/**
 * What `down` passes where it differs: what drops tables waits until nobody has them, so that nothing is sent ahead. Repeatables
 * have no way down.
 */
const POINTS_OF_DOWN: Readonly<Partial<Record<Kind, readonly CrashPoint[]>>> = {
  quick: TRANSACTION,
  bulk: TRANSACTION,
  enum: TRANSACTION,
  repeatable: [],
};

/** Every place that must be hit. */
function placesOf(verb: "up" | "down"): string[] {
  const points = verb === "up" ? POINTS_OF : { ...POINTS_OF, ...POINTS_OF_DOWN };
  return [
    ...POINTS_OF_RUN,
    ...Object.entries(points).flatMap(([kind, own]) => own.map((point) => placeOf(point, kind as Kind))),
  ];
}

/** The faults that are to strike, each at the first passing of its place that finds none before it. */
export class Schedule {
  readonly faults: readonly Fault[];
  readonly #open = new Map<string, Fault[]>();
  readonly #struck = new Map<string, number>();

  constructor(faults: readonly Fault[]) {
    this.faults = faults;
    for (const fault of faults) this.#open.set(fault.place, [...(this.#open.get(fault.place) ?? []), fault]);
  }

  /** The next fault of a place; undefined: none is left there. */
  next(place: string): Fault | undefined {
    return this.#open.get(place)?.[0];
  }

  /** Notes that the next fault of a place has struck. */
  struck(fault: Fault): void {
    this.#open.get(fault.place)!.shift();
    const key = `${fault.place}: ${fault.kind}`;
    this.#struck.set(key, (this.#struck.get(key) ?? 0) + 1);
  }

  get left(): readonly Fault[] {
    return [...this.#open.values()].flat();
  }

  /** How often each kind of fault has struck in each place. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#struck].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/**
 * At every place a kill of the holder, and at some, or all, one more fault that the seed chooses.
 * @param share which part of the places gets one more, from 0 to 1.
 */
export function crowdSchedule(verb: "up" | "down", next: Random, share: number): Schedule {
  // Only a run that ends in good order gives the lock back: some are told to stop before they are done.
  const asked = Array.from({ length: 4 }, () => faultAt("run.recorded", "ask", next));
  const others = ["kill", "stop", "terminate", "ask"] as const;
  return new Schedule([
    ...asked,
    ...placesOf(verb).flatMap((place) => [
      faultAt(place, "kill", next),
      ...(next() < share ? [faultAt(place, pick(next, others), next)] : []),
    ]),
  ]);
}

export interface SampleOptions {
  /** How many places; Infinity: all. */
  readonly many: number;
  /** Each of them befalls one of the places, in turn. */
  readonly kinds: readonly FaultKind[];
  /** Whether a place can be hit. */
  readonly isPossible?: (place: string) => boolean;
}

/**
 * At some places, which the seed chooses, a fault. Some runs are told to stop besides, since only one that ends in good order gives
 * the lock back.
 */
export function sampleSchedule(verb: "up" | "down", next: Random, options: SampleOptions): Schedule {
  const places = placesOf(verb)
    .filter(options.isPossible ?? (() => true))
    .map((place) => ({ place, by: next() }))
    .sort((a, b) => a.by - b.by)
    .slice(0, options.many)
    .map(({ place }) => place);
  const asked = Array.from({ length: 3 }, () => faultAt("run.recorded", "ask", next));
  const { kinds } = options;
  return new Schedule([
    ...asked,
    ...places.map((place, index) => faultAt(place, kinds[index % kinds.length]!, next)),
  ]);
}

function faultAt(place: string, kind: FaultKind, next: Random): Fault {
  // Half of them strike at once: what was sent may not have been read yet.
  const delayMs = next() < 0.5 ? 0 : Math.round(next() * 40);
  return { kind, place, delayMs };
}
