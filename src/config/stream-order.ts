import { closest } from "../core/similar.ts";
import { problemAt } from "./problems.ts";
import type { GodwitError } from "../core/error.ts";
import type { ConfigSource } from "./source.ts";

interface Named {
  readonly name: string;
  readonly after: readonly string[];
}

/** What is wrong with the `after` of the streams: names that do not exist, and circles. */
export function orderProblems(source: ConfigSource, streams: readonly Named[]): readonly GodwitError[] {
  const names = new Map(streams.map((stream) => [stream.name, stream]));
  const unknown = streams.flatMap(({ name, after }) =>
    after.flatMap((other, index) => {
      if (names.has(other)) return [];
      const near = closest(other, names.keys());
      return problemAt(
        source,
        ["streams", name, "after", index],
        `there is no stream "${other}"`,
        near === null ? `the streams are: ${[...names.keys()].join(", ")}` : `did you mean "${near}"?`,
      );
    }),
  );
  const circle = findCircle(names);
  if (circle === null) return unknown;
  const [first = ""] = circle;
  return [
    ...unknown,
    problemAt(
      source,
      ["streams", first, "after"],
      `the streams wait for each other in a circle: ${circle.join(" after ")}`,
      "remove one of these names from an after",
    ),
  ];
}

/** The streams so that each stands behind those it goes after; otherwise in the order of the file. */
export function inOrder<T extends Named>(streams: readonly T[]): readonly T[] {
  const names = new Map(streams.map((stream) => [stream.name, stream]));
  const ordered = new Set<T>();
  const place = (stream: T): void => {
    if (ordered.has(stream)) return;
    for (const other of stream.after) place(names.get(other)!);
    ordered.add(stream);
  };
  for (const stream of streams) place(stream);
  return [...ordered];
}

function findCircle(streams: ReadonlyMap<string, Named>): readonly string[] | null {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): readonly string[] | null => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (done.has(name)) return null;
    for (const other of streams.get(name)?.after ?? []) {
      const circle = visit(other, [...trail, name]);
      if (circle !== null) return circle;
    }
    done.add(name);
    return null;
  };
  for (const name of streams.keys()) {
    const circle = visit(name, []);
    if (circle !== null) return circle;
  }
  return null;
}
