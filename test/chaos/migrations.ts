import type { Effect } from "./model.ts";
import type { Query } from "./world.ts";

/** What the migrations are about: each kind passes crash points of its own. */
export type Kind = "quick" | "bulk" | "index" | "enum" | "off" | "code" | "validate" | "whole" | "repeatable";

/**
 * Of each kind so many, since some faults let a migration end: the next one of its kind then takes the next fault. In a bulk one
 * fault lets all end that were sent ahead.
 */
const MANY: Readonly<Record<Kind, number>> = {
  quick: 70,
  bulk: 70,
  index: 8,
  enum: 7,
  off: 7,
  code: 6,
  validate: 7,
  whole: 6,
  repeatable: 6,
};

interface Sample {
  readonly id: string;
  readonly kind: Kind;
}

/** In the order in which they are applied. */
const SAMPLES: readonly Sample[] = Object.entries(MANY).flatMap(([kind, many], place) =>
  Array.from({ length: many }, (_, n) => ({ id: `${place + 1}${100 + n}_${kind}`, kind: kind as Kind })),
);

export function kindOf(id: string): Kind {
  return SAMPLES.find((sample) => sample.id === id)!.kind;
}

/** What the migrations find in the database. No key keeps a second line out of the tallies: it would hide a second application. */
export const WORLD_SQL = `
CREATE TABLE tally (id text NOT NULL, part int NOT NULL);
CREATE TABLE taken (id text NOT NULL);
CREATE TABLE big (n int NOT NULL, g int NOT NULL);
INSERT INTO big SELECT n, n % 100 FROM generate_series(1, 40000) n;
ANALYZE big;`;

/** Those that are one transaction each. */
export const WHOLE_KINDS: readonly Kind[] = ["quick", "bulk", "code", "whole", "repeatable"];

/** Files by path from the project's folder. @param kinds left out: of all kinds. */
export function migrationFiles(kinds: readonly Kind[] = Object.keys(MANY) as Kind[]): Record<string, string> {
  return Object.fromEntries(
    SAMPLES.filter(({ kind }) => kinds.includes(kind)).map(({ id, kind }) => {
      if (kind === "code") return [`migrations/${id}.mjs`, codeOf(id)];
      const name = kind === "repeatable" ? `${id}.repeatable.sql` : `${id}.sql`;
      return [`migrations/${name}`, sqlOf(id, kind)];
    }),
  );
}

const tally = (id: string, part: number): string => `INSERT INTO tally VALUES ('${id}', ${part});`;
const taken = (id: string): string => `INSERT INTO taken VALUES ('${id}');`;

function sqlOf(id: string, kind: Exclude<Kind, "code">): string {
  const name = `t${id}`;
  const table = `CREATE TABLE ${name} (id int);`;
  const drop = `DROP TABLE ${name};`;
  switch (kind) {
    case "quick":
      return file([table, `COMMENT ON TABLE ${name} IS 'made once';`], [drop, taken(id)]);
    case "bulk":
      return file([table, tally(id, 1)], [drop, taken(id)]);
    case "whole":
      // More statements than are sent at once, so that COMMIT is not sent along in any case.
      return file(
        [table, tally(id, 1), ...Array.from({ length: 40 }, (_, n) => `INSERT INTO ${name} VALUES (${n});`)],
        [...Array.from({ length: 40 }, (_, n) => `DELETE FROM ${name} WHERE id = ${n};`), drop, taken(id)],
      );
    case "repeatable":
      return `CREATE OR REPLACE VIEW v${id} AS SELECT count(*) AS n FROM tally;\n${tally(id, 1)}\n`;
    case "index":
      return file(
        [
          table,
          tally(id, 1),
          `CREATE INDEX CONCURRENTLY i${id} ON big (g, n);`,
          `ALTER TABLE ${name} ADD COLUMN more int;`,
          tally(id, 2),
        ],
        [taken(id), `DROP INDEX CONCURRENTLY i${id};`, drop],
      );
    case "enum":
      return file(
        [
          `CREATE TYPE e${id} AS ENUM ('a');`,
          tally(id, 1),
          `ALTER TYPE e${id} ADD VALUE 'b';`,
          `CREATE TABLE ${name} (e e${id} DEFAULT 'b');`,
          tally(id, 2),
        ],
        [drop, `DROP TYPE e${id};`, taken(id)],
      );
    case "off": {
      const alone = [
        table,
        tally(id, 1),
        `VACUUM ${name};`,
        `REINDEX TABLE CONCURRENTLY ${name};`,
        tally(id, 2),
      ];
      return `-- godwit:transaction off\n${file(alone, [taken(id), `VACUUM ${name};`, drop])}`;
    }
    case "validate":
      return `-- godwit:transaction off\n${file(
        [
          table,
          `ALTER TABLE big ADD CONSTRAINT c${id} CHECK (g >= 0) NOT VALID;`,
          `ALTER TABLE big VALIDATE CONSTRAINT c${id};`,
          tally(id, 1),
        ],
        [taken(id), `ALTER TABLE big DROP CONSTRAINT c${id};`, drop],
      )}`;
  }
}

function file(up: readonly string[], down: readonly string[]): string {
  return `-- migrate:up\n${up.join("\n")}\n-- migrate:down\n${down.join("\n")}\n`;
}

function codeOf(id: string): string {
  return `export async function up(db) {
  await db.query("CREATE TABLE t${id} (id int)");
  await db.query("INSERT INTO tally VALUES ($1, $2)", ["${id}", 1]);
}
export async function down(db) {
  await db.query("DROP TABLE t${id}");
  await db.query("INSERT INTO taken VALUES ($1)", ["${id}"]);
}
`;
}

/** The parts of the `up` of a kind that leave a line in the tally. */
function partsOf(kind: Kind): readonly number[] {
  if (kind === "quick") return [];
  return kind === "index" || kind === "enum" || kind === "off" ? [1, 2] : [1];
}

/** What of each migration stands in the database. */
export async function effectsIn(query: Query): Promise<Effect[]> {
  const done = await query("SELECT id || ' ' || part AS key, count(*)::int AS times FROM tally GROUP BY 1");
  const undone = await query("SELECT id AS key, count(*)::int AS times FROM taken GROUP BY 1");
  const names = await query(
    `SELECT relname AS key, 1 AS times FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid
     WHERE relnamespace = 'public'::regnamespace AND indisvalid IS NOT FALSE
     UNION ALL SELECT conname, 1 FROM pg_constraint WHERE conrelid = 'big'::regclass AND convalidated`,
  );
  const [ups, downs, objects] = [counts(done), counts(undone), counts(names)];
  return SAMPLES.map(({ id, kind }) => ({
    id,
    done: partsOf(kind).map((part) => ups.get(`${id} ${part}`) ?? 0),
    undone: kind === "repeatable" ? [] : [downs.get(id) ?? 0],
    objects: objectsOf(id, kind).every((name) => objects.has(name)),
  }));
}

function objectsOf(id: string, kind: Kind): string[] {
  if (kind === "repeatable") return [`v${id}`];
  if (kind === "index") return [`t${id}`, `i${id}`];
  return kind === "validate" ? [`t${id}`, `c${id}`] : [`t${id}`];
}

function counts(rows: readonly Record<string, unknown>[]): Map<string, number> {
  return new Map(rows.map(({ key, times }) => [String(key), Number(times)]));
}
