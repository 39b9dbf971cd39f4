import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveConnection } from "../../src/postgres/conninfo/resolve.ts";
import { openSession, type Session } from "../../src/postgres/session.ts";
import { CORPUS, SCHEMA } from "../support/locks/corpus.ts";
import { observe, type SeenLock } from "../support/locks/measure.ts";
import { predict } from "../support/locks/predict.ts";
import { createDatabase, serverVersion, type TestDatabase } from "../support/postgres.ts";

describe("the locks of a statement, against the server", () => {
  let original: TestDatabase;
  let database: TestDatabase;
  let client: Client;
  let session: Session;
  let major: number;
  beforeAll(async () => {
    major = Math.floor((await serverVersion()) / 10_000);
    original = await createDatabase();
    await original.query(SCHEMA);
    database = await createDatabase({ template: original.name });
    client = new Client({ connectionString: database.url });
    await client.connect();
    const settings = await resolveConnection({ conninfo: database.url }, {});
    session = await openSession(settings, { applicationName: "corpus" });
  });
  afterAll(async () => {
    session.close();
    await client.end();
    await database.drop();
    await original.drop();
  });

  it.each(CORPUS)("$sql", { timeout: 120_000 }, async (one) => {
    if (major < (one.since ?? 0)) return;
    const copies: TestDatabase[] = [];
    const copy = async (): Promise<string> => {
      const made = await createDatabase({ template: original.name });
      copies.push(made);
      return made.url;
    };
    const predicted = await predict(one.sql, session, client, major);
    const observed = await observe(one, client, copy);
    for (const made of copies) await made.drop();
    const counted = ({ name }: SeenLock): boolean => one.spared?.[name] === undefined;
    expect(words(predicted.filter(counted))).toEqual(words(observed.filter(counted)));
  });
});

function words(locks: readonly SeenLock[]): string[] {
  return locks.map(({ mode, name }) => `${name}: ${mode}`).toSorted();
}
