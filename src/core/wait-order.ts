/** One that may wait for others, by name. */
export interface Waiter {
  readonly id: string;
  /** Those it waits for. Names that nobody has are left out of account. */
  readonly waitsFor: readonly string[];
}

/** A place in the tree of who waits for whom. */
export interface WaitPlace {
  readonly id: string;
  /** 0: a root, which waits for nobody, or a place where a circle is entered. */
  readonly depth: number;
  /** The one it stands under: of those it waits for, the one that waits longest itself in the chain; null: a root. */
  readonly under: string | null;
  /** Whether a circle is entered here: it waits for one of those below it. */
  readonly circle: boolean;
}

/**
 * Arranges who waits for whom as a tree in which everybody stands once: roots first, each followed by those who wait for it, and
 * under the last of those it waits for, so that whatever stands below the root moves when the root is gone.
 * Circles, as deadlocks are for a moment, are entered at their first in the order given.
 * @param waiters in the order in which brothers are to stand.
 */
export function waitOrder(waiters: readonly Waiter[]): WaitPlace[] {
  const known = new Map(waiters.map((waiter) => [waiter.id, waiter]));
  const open = new Map(
    [...known.values()].map(({ id, waitsFor }) => [
      id,
      new Set(waitsFor.filter((other) => known.has(other) && other !== id)),
    ]),
  );
  const places = new Map<string, WaitPlace>();
  while (places.size < known.size) {
    const ready = [...open].filter(
      ([id, others]) => !places.has(id) && [...others].every((other) => places.has(other)),
    );
    const circle = ready.length === 0;
    const left = [...open].filter(([id]) => !places.has(id));
    const entry = left.find(([, others]) => [...others].some((other) => places.has(other))) ?? left[0]!;
    for (const [id, others] of circle ? [entry] : ready) {
      const above = [...others].flatMap((other) => places.get(other) ?? []);
      const last = above.toSorted((a, b) => b.depth - a.depth)[0];
      places.set(id, { id, depth: last === undefined ? 0 : last.depth + 1, under: last?.id ?? null, circle });
    }
  }
  const below = Map.groupBy(
    [...known.keys()].map((id) => places.get(id)!),
    ({ under }) => under,
  );
  const ordered: WaitPlace[] = [];
  const visit = (place: WaitPlace): void => {
    ordered.push(place);
    for (const child of below.get(place.id) ?? []) visit(child);
  };
  for (const root of below.get(null) ?? []) visit(root);
  return ordered;
}
