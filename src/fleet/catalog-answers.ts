import type { Migration, Section } from "../migrations/types.ts";
import type { CatalogAnswers } from "../plan/steps.ts";
import type { Session } from "../postgres/session.ts";
import { qualified } from "../sql/quote.ts";

/**
 * Asks the live catalog what grammar cannot know: whether a relation is partitioned, so that REINDEX or CLUSTER of it must
 * stand alone (PostgreSQL manual, REINDEX: "Notes"). A relation that is yet to be made by an earlier migration is not there
 * to be asked; then the server's refusal tells, and the migration is planned anew.
 */
export async function askCatalog(
  session: Session,
  sections: readonly { readonly id: string; readonly section: Section }[],
): Promise<ReadonlyMap<string, CatalogAnswers>> {
  const answers = new Map<string, Set<number>>();
  for (const { id, section } of sections) {
    for (const { catalogCheck, ordinal } of section.statements) {
      if (catalogCheck === null) continue;
      const [row] = await session.rows(
        "SELECT c.relkind IN ('p', 'I') AS partitioned FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)",
        [qualified(catalogCheck.schema, catalogCheck.name)],
      );
      if (row?.partitioned !== "t") continue;
      const ordinals = answers.get(id) ?? new Set();
      answers.set(id, ordinals.add(ordinal));
    }
  }
  return answers;
}

/** The `up` sections of migrations, as `askCatalog` wants them. */
export function upSections(migrations: readonly Migration[]): { id: string; section: Section }[] {
  return migrations.map((migration) => ({ id: migration.id, section: migration.up }));
}
