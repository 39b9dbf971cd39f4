import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { creationsOf } from "../../../src/execute/tolerate/kinds.ts";
import { Scratch } from "../../../src/execute/tolerate/scratch.ts";
import { discoverMigrations } from "../../../src/migrations/discover.ts";
import { parseMigration } from "../../../src/migrations/parse.ts";
import { resolveConnection } from "../../../src/postgres/conninfo/resolve.ts";
import { openSession, type Session } from "../../../src/postgres/session.ts";
import type { Statement } from "../../../src/sql/types.ts";
import { testDatabase } from "../../support/postgres.ts";

const FOLDER = fileURLToPath(new URL("../../../examples/escashop/migrations", import.meta.url));

/** What each statement finds wrong with the object of its name, where there is one. */
async function differencesIn(session: Session, statements: readonly Statement[]): Promise<string[]> {
  const found: string[] = [];
  for (const [ordinal, creation] of await creationsOf(statements)) {
    await session.query("BEGIN READ WRITE");
    const existing = await creation.lookup(session);
    const lines =
      existing === null
        ? []
        : await Scratch.within(session, (scratch) => creation.differences(scratch, existing));
    found.push(...(lines ?? ["it is another object"]).map((line) => `${ordinal} ${existing?.name}: ${line}`));
    compared += existing === null ? 0 : 1;
    await session.query("ROLLBACK");
  }
  return found;
}

let compared = 0;

it("finds no difference between what the example's files say and what they have just made", async () => {
  const database = await testDatabase();
  const session = await openSession(await resolveConnection({ conninfo: database.url }, {}), {
    applicationName: "test",
  });
  try {
    for (const file of discoverMigrations({ stream: "shop", directory: FOLDER })) {
      if (file.format === "code") continue;
      const { up } = await parseMigration(file);
      for (const { sql, tag } of up.statements) {
        // Some constraints do not hold without the rows that the code migrations mend.
        if (tag !== "ALTER TABLE" || !sql.includes("VALIDATE")) await session.query(sql);
      }
      expect([file.id, ...(await differencesIn(session, up.statements))]).toEqual([file.id]);
    }
  } finally {
    session.close();
  }
  expect(compared).toBeGreaterThan(90);
});
