import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGodwitError, type GodwitError } from "../core/error.ts";
import { graphData } from "./graph-data.ts";
import { buildGraph, type Graph, type GraphStream } from "./graph.ts";

type Written = Record<string, readonly string[] | null | undefined>;

function stream(name: string, migrations: Written, after: readonly string[] = []): GraphStream {
  return {
    name,
    after,
    migrations: Object.entries(migrations).map(([id, requires]) => ({
      id,
      requires:
        requires === null || requires === undefined ? requires : requires.map((text) => read(name, text)),
      path: `${name}/${id}.sql`,
    })),
  };
}

function read(name: string, text: string): { stream: string; id: string } {
  const [first = "", second] = text.split("/");
  return second === undefined ? { stream: name, id: first } : { stream: first, id: second };
}

/** The graph, or null when there is a circle. */
function tryBuild(streams: readonly GraphStream[]): Graph | null {
  try {
    return buildGraph(streams);
  } catch (error) {
    if (isGodwitError(error, "GRAPH_CYCLE")) return null;
    throw error;
  }
}

function orderOf(graph: Graph): string[] {
  return graph.order.map((node) => `${node.stream}/${node.id}`);
}

function failure(streams: readonly GraphStream[]): GodwitError {
  try {
    buildGraph(streams);
  } catch (error) {
    if (isGodwitError(error)) return error;
    throw error;
  }
  throw new Error("the graph was built");
}

describe("buildGraph", () => {
  it("puts ids in bytewise order, whatever order they come in", () => {
    expect(
      orderOf(buildGraph([stream("app", { b: null, "10": null, a: null, "9": null, B: null })])),
    ).toEqual(["app/10", "app/9", "app/B", "app/a", "app/b"]);
  });

  it("lets a migration that names its requirements go before earlier ids only where it must", () => {
    const graph = buildGraph([stream("app", { a1: null, a2: ["a5"], a3: null, a5: ["a1"] })]);
    expect(orderOf(graph)).toEqual(["app/a1", "app/a5", "app/a2", "app/a3"]);
  });

  it("orders across streams by requirement, else by stream", () => {
    const graph = buildGraph([
      stream("tenant", { t1: ["shared/s2"], t2: null }),
      stream("shared", { s1: null, s2: null, s3: null }),
    ]);
    expect(orderOf(graph)).toEqual(["shared/s1", "shared/s2", "tenant/t1", "tenant/t2", "shared/s3"]);
  });

  it("puts a stream wholly behind those it goes after, over an empty one too", () => {
    const graph = buildGraph([
      stream("c", { c1: null }, ["b"]),
      stream("b", {}, ["a"]),
      stream("a", { a1: null, a2: null }),
    ]);
    expect(graph.streams).toEqual(["a", "b", "c"]);
    expect(orderOf(graph)).toEqual(["a/a1", "a/a2", "c/c1"]);
  });

  it("takes an applied migration of which nothing is known as requiring nothing", () => {
    const graph = buildGraph([stream("app", { a1: ["a2"], a2: undefined })]);
    expect(orderOf(graph)).toEqual(["app/a2", "app/a1"]);
  });

  it("explains a circle with the ids on it, their files and why", () => {
    const error = failure([stream("app", { a1: null, a2: ["a4"], a3: null, a4: null })]);
    expect(error.code).toBe("GRAPH_CYCLE");
    expect(error.message).toBe("migrations require each other in a circle: app/a4 → app/a2 → app/a4");
    expect(error.detail).toBe(
      "app/a4 requires every earlier id of its stream, app/a2 too  (app/a4.sql)\napp/a2 requires app/a4  (app/a2.sql)",
    );
  });

  it("explains a circle made by `after`", () => {
    const error = failure([
      stream("shared", { s1: ["tenant/t1"] }),
      stream("tenant", { t1: null }, ["mid"]),
      stream("mid", {}, ["shared"]),
    ]);
    expect(error.code).toBe("GRAPH_CYCLE");
    expect(error.message).toContain("shared/s1");
    expect(error.message).toContain("tenant/t1");
  });

  it("refuses a migration that requires itself, and streams that go after each other", () => {
    expect(failure([stream("app", { a1: ["a1"] })]).message).toContain("app/a1 → app/a1");
    const error = failure([stream("a", {}, ["b"]), stream("b", {}, ["a"])]);
    expect(error.code).toBe("GRAPH_CYCLE");
    expect(error.message).toContain("a after b after a");
  });

  it("names everything unknown at once, with what was probably meant", () => {
    const error = failure([
      stream("shared", { "20260101000000_plans": null }),
      stream("tenant", {
        t1: ["20260101000000_plans", "shared/20260101000000_plan", "shered/20260101000000_plans"],
        t2: ["shared/plans"],
      }),
    ]);
    expect(error.code).toBe("GRAPH_UNKNOWN_REQUIREMENT");
    expect(error.problems.map((problem) => problem.hint)).toEqual([
      "did you mean `shared/20260101000000_plans`?",
      "did you mean `20260101000000_plans`?",
      "did you mean `shared/20260101000000_plans`?",
      "did you mean `20260101000000_plans`?",
    ]);
  });

  it("says at which place a single unknown id stands", () => {
    const location = { file: "a1.sql", line: 3, column: 1 };
    const error = failure([
      {
        name: "app",
        after: [],
        migrations: [{ id: "a1", requires: [{ stream: "app", id: "zz", location }] }],
      },
    ]);
    expect(error.location).toEqual(location);
    expect(error.message).toBe("app/a1 requires zz, which does not exist in stream app");
  });

  it("refuses an unknown stream in `after`", () => {
    const error = failure([stream("shared", {}), stream("tenant", {}, ["share"])]);
    expect(error.code).toBe("STREAM_UNKNOWN");
    expect(error.hint).toBe("did you mean `shared`?");
  });

  it("orders ten thousand migrations in a moment, also when it has to look for a circle", () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(6, "0"));
    const migrations: Written = Object.fromEntries(ids.map((id) => [id, null]));
    const started = performance.now();
    expect(buildGraph([stream("app", migrations)]).order).toHaveLength(10_000);
    expect(failure([stream("app", { ...migrations, "000000": ["009999"] })]).code).toBe("GRAPH_CYCLE");
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it("sets every migration behind all it requires, alike for any order of the input", () => {
    fc.assert(
      fc.property(soundStreams(), fc.infiniteStream(fc.nat()), (streams, numbers) => {
        const graph = buildGraph(streams);
        const shuffled = streams.map((one) => ({
          ...one,
          migrations: one.migrations
            .map((migration) => ({ migration, rank: Number(numbers.next().value) }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ migration }) => migration),
        }));
        expect(orderOf(buildGraph(shuffled))).toEqual(orderOf(graph));
        const position = new Map(graph.order.map((node) => [`${node.stream}/${node.id}`, node.position]));
        const tooEarly = graph.order.filter((node) => {
          const earlier = node.chained
            ? graph.byStream.get(node.stream)!.filter(({ id }) => id < node.id)
            : [];
          const needed = [...node.requires, ...earlier].map(({ stream: name, id }) =>
            position.get(`${name}/${id}`)!,
          );
          return needed.some((place) => place >= node.position);
        });
        expect(tooEarly).toEqual([]);
      }),
    );
  });

  it("is a circle only where there is one", () => {
    fc.assert(
      fc.property(arbitraryStreams(), (streams) => {
        expect(tryBuild(streams) === null).toBe(hasCircle(streams));
      }),
    );
  });
});

describe("graphData", () => {
  it("joins a chained migration to all since the last chained one, and nothing twice", () => {
    const graph = buildGraph([stream("app", { a1: null, a2: null, a3: ["a1"], a4: null })]);
    const { nodes, edges } = graphData(graph, (_, id) => (id === "a1" ? "completed" : "pending"));
    expect(nodes.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "a1 completed",
      "a2 pending",
      "a3 pending",
      "a4 pending",
    ]);
    expect(edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`)).toEqual([
      "app/a1 chain app/a2",
      "app/a2 chain app/a4",
      "app/a3 chain app/a4",
      "app/a1 requires app/a3",
    ]);
  });
});

/** Two streams of six migrations that require anything, circles included. */
function arbitraryStreams(): fc.Arbitrary<GraphStream[]> {
  const ids = ["1", "2", "3", "4", "5", "6"];
  const requirement = fc.record({ stream: fc.constantFrom("a", "b"), id: fc.constantFrom(...ids) });
  const requires = fc.option(fc.uniqueArray(requirement, { maxLength: 2 }), { nil: null, freq: 2 });
  const migrations = fc.tuple(...ids.map((id) => requires.map((list) => ({ id, requires: list }))));
  return fc.tuple(migrations, migrations, fc.boolean()).map(([a, b, after]) => [
    { name: "a", after: [], migrations: a },
    { name: "b", after: after ? ["a"] : [], migrations: b },
  ]);
}

/** The same without circles: who would close one requires nothing. */
function soundStreams(): fc.Arbitrary<GraphStream[]> {
  return arbitraryStreams().map((streams) => {
    const sound = streams.map((one) => ({
      ...one,
      migrations: one.migrations.map(({ id }): GraphStream["migrations"][number] => ({ id, requires: [] })),
    }));
    for (const [index, one] of streams.entries()) {
      for (const [place, migration] of one.migrations.entries()) {
        sound[index]!.migrations[place] = migration;
        if (tryBuild(sound) === null) sound[index]!.migrations[place] = { id: migration.id, requires: [] };
      }
    }
    return sound;
  });
}

/** The same question answered the slow way: every pair an edge, then take away what waits for nothing. */
function hasCircle(streams: readonly GraphStream[]): boolean {
  const waits = new Map<string, Set<string>>();
  for (const one of streams) {
    for (const { id, requires } of one.migrations) {
      const set = new Set((requires ?? []).map((required) => `${required.stream}/${required.id}`));
      for (const other of one.migrations)
        if (requires === null && other.id < id) set.add(`${one.name}/${other.id}`);
      for (const name of one.after) {
        for (const other of streams.find((candidate) => candidate.name === name)!.migrations)
          set.add(`${name}/${other.id}`);
      }
      waits.set(`${one.name}/${id}`, set);
    }
  }
  for (let before = -1; before !== waits.size;) {
    before = waits.size;
    for (const [key, set] of waits) {
      if ([...set].some((other) => waits.has(other))) continue;
      waits.delete(key);
    }
  }
  return waits.size > 0;
}
