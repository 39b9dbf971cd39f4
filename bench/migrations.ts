/** The work every peer does, so that only the way it is done differs. */

/** The statements of migration `number` (from 1), without closing semicolons: a table, and an index on it. */
export function upStatements(number: number): readonly [table: string, index: string] {
  return [
    `CREATE TABLE t_${number} (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'x')`,
    `CREATE INDEX t_${number}_name ON t_${number} (name)`,
  ];
}

/** The same as one text for files of SQL. */
export function upSql(number: number): string {
  return upStatements(number)
    .map((statement) => `${statement};\n`)
    .join("");
}

/** What takes migration `number` back, for the formats that want it. */
export function downSql(number: number): string {
  return `DROP TABLE t_${number};\n`;
}

/** A time-stamped name in creation order, 14 digits as most tools write them: `20240101000001_m1`. */
export function migrationId(number: number): string {
  return `${20_240_101_000_000 + number}_m${number}`;
}

/** 1, 2 … count. */
export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
