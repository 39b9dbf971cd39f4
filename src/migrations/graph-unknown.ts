import { GodwitError } from "../core/error.ts";
import type { GraphMigration, GraphStream } from "./graph.ts";
import { closest } from "../core/similar.ts";
import type { Requirement } from "./types.ts";

/** The error for a migration that requires one that does not exist, with what was probably meant. */
export function unknownRequirement(
  streams: readonly GraphStream[],
  stream: string,
  migration: GraphMigration,
  requirement: Requirement,
): GodwitError {
  const written = requirement.stream === stream ? requirement.id : `${requirement.stream}/${requirement.id}`;
  const required = streams.find(({ name }) => name === requirement.stream);
  const place = requirement.location === undefined ? {} : { location: requirement.location };
  if (required === undefined) {
    const names = streams.map(({ name }) => name);
    const guess = closest(requirement.stream, names);
    return new GodwitError(
      "GRAPH_UNKNOWN_REQUIREMENT",
      `${stream}/${migration.id} requires ${written}, but no stream is named ${requirement.stream}`,
      {
        hint:
          guess === null ? `streams: ${names.join(", ")}` : `did you mean \`${guess}/${requirement.id}\`?`,
        ...place,
      },
    );
  }
  return new GodwitError(
    "GRAPH_UNKNOWN_REQUIREMENT",
    `${stream}/${migration.id} requires ${written}, which does not exist in stream ${requirement.stream}`,
    { hint: suggestion(streams, required, requirement), ...place },
  );
}

/** The error for an unknown name in `after`. */
export function unknownStream(stream: string, name: string, known: readonly string[]): GodwitError {
  const guess = closest(name, known);
  return new GodwitError(
    "STREAM_UNKNOWN",
    `stream ${stream} goes after ${name}, but no stream is named ${name}`,
    {
      hint: guess === null ? `streams: ${known.join(", ")}` : `did you mean \`${guess}\`?`,
    },
  );
}

function suggestion(streams: readonly GraphStream[], required: GraphStream, { id }: Requirement): string {
  const ids = required.migrations.map((migration) => migration.id);
  const elsewhere = streams.find(({ migrations }) => migrations.some((migration) => migration.id === id));
  if (elsewhere !== undefined) return `did you mean \`${elsewhere.name}/${id}\`?`;
  // People often leave out the timestamp, or write the file's name.
  const stem = id.replace(/\.(?:sql|ts|js|mjs)$/, "");
  const part = ids.filter(
    (candidate) => candidate === stem || candidate.endsWith(`_${stem}`) || candidate.startsWith(stem),
  );
  const guess = part.length === 1 ? part[0]! : closest(id, ids);
  return guess === null || guess === undefined
    ? "`godwit graph` lists the ids; a requirement names a file without its extension"
    : `did you mean \`${guess}\`?`;
}
