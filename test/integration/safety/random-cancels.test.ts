import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { GodwitError } from "../../../src/core/error.ts";
import { historyOf, tablesOf, testProject } from "../../support/project.ts";
import { nobodyLeft, testClient } from "./gate.ts";

const CANCEL = `SELECT count(pg_cancel_backend(pid))::int AS n FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'godwit/%'`;

/** Every third one leaves settings behind that would lead the next one astray. */
const LEAVES =
  "SET search_path = astray;\nSET default_transaction_read_only = off;\nSET lock_timeout = '3h';\n";

/** In steps, each of which the ledger or the catalog knows about. */
const stepped = (name: string): string =>
  `CREATE TABLE ${name} (id int);\nCREATE INDEX CONCURRENTLY ${name}_a ON ${name} (id);\n` +
  `ALTER TABLE ${name} ADD COLUMN n int;\nVACUUM ${name};\nDROP INDEX CONCURRENTLY ${name}_a;\n`;

/**
 * Cancels what runs at any moment, the statements of Godwit itself included: what is between migrations, what is sent ahead.
 * A cancelled one may fail; it must neither be taken for failed where it was committed, nor carry anything over.
 */
describe.each([
  ["a few at a time", 3, 1000],
  ["in a bulk", 100, 1000],
  ["with steps among them", 100, 2],
])("statements cancelled at any moment, %s", (_, steps, everyStepped) => {
  it(
    "leave nothing applied twice, nothing in the wrong place and nothing for a person",
    { timeout: 180_000 },
    async () => {
      const count = 60;
      const files = Object.fromEntries(
        Array.from({ length: count }, (__, n) => {
          const name = `t${String(n).padStart(2, "0")}`;
          const body =
            n % 3 === 0
              ? `CREATE TABLE public.${name} ();\n${LEAVES}`
              : n % everyStepped === 1
                ? stepped(name)
                : `CREATE TABLE ${name} ();\nSELECT pg_sleep(0.003);\n`;
          return [`${100 + n}_t.sql`, n === 0 ? `CREATE SCHEMA astray;\n${body}` : body];
        }),
      );
      const { godwit, database } = await testProject(files);
      const canceller = await testClient(database.url);
      let cancelled = 0;
      let over = false;
      const cancelling = (async () => {
        while (!over && cancelled < 100) {
          await delay(Math.random() * 6);
          cancelled += (await canceller.query<{ n: number }>(CANCEL)).rows[0]!.n;
        }
      })();
      let failures = 0;
      // One more may fail of what was struck last.
      let calm = 0;
      for (;;) {
        const outcome: unknown = await godwit.up({ steps }).then(
          ({ total }) => total,
          (error: unknown) => error,
        );
        if (outcome === 0) break;
        if (typeof outcome === "number") continue;
        if (cancelled >= 100 && ++calm > 1) throw outcome;
        failures += 1;
        expect(outcome).toBeInstanceOf(Error);
        if (outcome instanceof GodwitError) expect(["MIGRATION_FAILED", "INTERNAL"]).toContain(outcome.code);
        else expect(outcome).toMatchObject({ code: "57014" });
      }
      over = true;
      await cancelling;
      expect(failures).toBeGreaterThan(10);
      expect(await database.query("SELECT FROM pg_index WHERE NOT indisvalid")).toEqual([]);
      expect(await database.query("SELECT FROM godwit.migration_steps")).toEqual([]);
      expect(await tablesOf(database)).toEqual(
        Array.from({ length: count }, (__, n) => `t${String(n).padStart(2, "0")}`),
      );
      expect(new Set((await historyOf(database)).map(({ status }) => status))).toEqual(
        new Set(["completed"]),
      );
      expect(
        await database.query(
          "SELECT migration_id FROM godwit.migration_log WHERE event = 'migration.applied' GROUP BY 1 HAVING count(*) <> 1",
        ),
      ).toEqual([]);
      await godwit.verify();
      await nobodyLeft(database);
    },
  );
});
