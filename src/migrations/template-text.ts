/** What the text of a new migration is made of. */
export interface TemplateOptions {
  readonly description: string;
  /** As written in a directive: `<id>` or `<stream>/<id>`. */
  readonly requires: readonly string[];
}

/** The text of a new `<id>.sql`. */
export function sqlTemplate({ description, requires }: TemplateOptions): string {
  return `${header(description, requires)}-- migrate:up


-- migrate:down
-- Take back what up does, in reverse order. With no way back, delete this section
-- and write above "migrate:up":  -- godwit:irreversible <why>
`;
}

/** The text of a new `<id>/up.sql`. */
export function upTemplate({ description, requires }: TemplateOptions): string {
  return header(description, requires);
}

/** The text of a new `<id>/down.sql`. */
export function downTemplate(): string {
  return `-- Take back what up.sql does, in reverse order. With no way back, delete this file
-- and write at the top of up.sql:  -- godwit:irreversible <why>
`;
}

/** The text of a new `<name>.repeatable.sql`. */
export function repeatableTemplate({ description }: TemplateOptions): string {
  return `-- godwit:description ${description}
-- Runs again whenever this file changes, after all versioned migrations: write what can be
-- replaced, such as CREATE OR REPLACE VIEW or FUNCTION.
`;
}

/** The text of a new `<id>.ts`. */
export function codeTemplate({ description, requires }: TemplateOptions): string {
  const list = requires.map((id) => JSON.stringify(id)).join(", ");
  return `import type { MigrationDb } from "godwit";

export const description = ${JSON.stringify(description)};
${requires.length === 0 ? "" : `export const requires = [${list}];\n`}// Both directions run in a transaction; \`export const transaction = false\` runs them outside of one.

export async function up(db: MigrationDb): Promise<void> {
  // await db.query(db.sql\`UPDATE users SET locale = \${"en"} WHERE locale IS NULL\`);
  throw new Error(\`\${db.migration.id}: up is not written yet\`);
}

// With no way back, delete this function and write: export const irreversible = "<why>";
export async function down(db: MigrationDb): Promise<void> {
  throw new Error(\`\${db.migration.id}: down is not written yet\`);
}
`;
}

function header(description: string, requires: readonly string[]): string {
  const lines = [`-- godwit:description ${description}`];
  if (requires.length > 0) lines.push(`-- godwit:requires ${requires.join(" ")}`);
  return `${lines.join("\n")}\n`;
}
