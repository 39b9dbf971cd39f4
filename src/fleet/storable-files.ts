import { GodwitError } from "../core/error.ts";
import { assertNoProblems, locate } from "../migrations/problems.ts";
import type { Migration } from "../migrations/types.ts";
import type { ServerFacts } from "../postgres/server-facts.ts";
import type { Session } from "../postgres/session.ts";
import { beyondAscii, unstorableCharacters } from "../postgres/unstorable.ts";
import { offsetToPosition } from "../sql/position.ts";
import type { FleetIo } from "./io.ts";
import { pathShower } from "./show-path.ts";

/**
 * Refuses migrations that cannot be kept in the history of their database, since its encoding has not all of their characters: a
 * comment is enough, for the whole text is stored.
 * @throws GodwitError MIGRATION_MALFORMED with the place of the first such character of each of them.
 */
export async function assertStorable(
  io: FleetIo,
  { session, facts }: { readonly session: Session; readonly facts: ServerFacts },
  migrations: readonly Migration[],
): Promise<void> {
  const texts = migrations.map(textsOf);
  const unstorable = await unstorableCharacters(session, facts, texts.flat());
  if (unstorable.size === 0) return;
  assertNoProblems(
    migrations.flatMap((migration, index) => {
      const own = texts[index]!.find((text) => beyondAscii(text).some((one) => unstorable.has(one)));
      return own === undefined ? [] : [problemOf(io, migration, own, facts, unstorable)];
    }),
  );
}

/** The file, in one piece where it is one: up and down together are the file again. */
function textsOf({ id, description, format, up, down }: Migration): string[] {
  const file = format === "folder" ? [up.sql, down?.sql ?? ""] : [up.sql + (down?.sql ?? "")];
  return [...file, id, description];
}

function problemOf(
  io: FleetIo,
  migration: Migration,
  text: string,
  { database, encoding }: ServerFacts,
  unstorable: ReadonlySet<string>,
): GodwitError {
  const { id, description, down, downPath, path } = migration;
  const character = beyondAscii(text).find((one) => unstorable.has(one))!;
  const file = pathShower(io)(text === down?.sql ? (downPath ?? path) : path);
  const isName = text === id || text === description;
  const { line, column } = offsetToPosition(text, text.indexOf(character));
  return new GodwitError(
    "MIGRATION_MALFORMED",
    `the database ${database} is encoded in ${encoding}, which has no "${character}"`,
    {
      location: isName ? { file, line: 1, column: 1 } : locate(file, text, line, column),
      hint: `write ${id} without it, comments included, since the whole text is kept in the history; or use a database that is encoded in UTF8`,
    },
  );
}
