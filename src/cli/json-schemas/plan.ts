import * as z from "zod";
import { LOCK_MODES } from "../../sql/locks/types.ts";
import { directionSchema, kindSchema } from "./run.ts";

const relation = { schema: z.string().nullable().describe("null: through search_path"), name: z.string() };

const locks = z.strictObject({
  objects: z
    .array(
      z.strictObject({
        schema: z.string(),
        name: z.string(),
        relation: z.string().describe("schema and name as SQL writes them"),
        mode: z.enum(LOCK_MODES),
        blocks: z.enum(["reads and writes", "writes", "nothing"]).describe("what others cannot do meanwhile"),
      }),
    )
    .nullable()
    .describe("relations of the live catalog that are locked, the strongest lock of each"),
  unknown: z.string().nullable().describe("why more may be locked than `objects` say"),
  rows: z.boolean().describe("whether it reads or changes rows, so that it may take long"),
  requests: z
    .array(
      z.strictObject({
        ...relation,
        reach: z.string().describe("which relations are meant, starting from the one that is named"),
        form: z.string(),
        part: z.enum(["subject", "other"]),
        through: z.string().nullable().describe("the constraint or column that narrows it"),
      }),
    )
    .describe("what the statement asks for, as grammar tells"),
  creates: z.array(z.strictObject(relation)),
});

const statement = z.strictObject({
  ordinal: z.int(),
  sql: z.string(),
  line: z.int(),
  column: z.int(),
  tag: z.string(),
  transaction: z.enum(["inside", "ends", "alone"]),
  transaction_reason: z.string().nullable(),
  commits: z.boolean(),
  quick: z.boolean(),
  patient: z
    .boolean()
    .describe("whether it waits for others without making anybody wait who reads or writes rows"),
  hash: z.string(),
  locks,
  session_effect: z.enum(["set", "temporary", "prepare"]).nullable(),
  directives: z.array(
    z.strictObject({ name: z.string(), argument: z.string(), line: z.int(), column: z.int() }),
  ),
  catalog_check: z
    .strictObject({
      kind: z.literal("partitioned-relation"),
      schema: z.string().nullable(),
      name: z.string(),
    })
    .nullable(),
});

const step = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("transaction"), ordinal: z.int(), statements: z.array(statement) }),
  z.strictObject({ kind: z.literal("standalone"), ordinal: z.int(), statement }),
  z.strictObject({ kind: z.literal("code"), ordinal: z.int(), transaction: z.boolean() }),
]);

export const planSchema = z.strictObject({
  plans: z.array(
    z.strictObject({
      stream: z.string(),
      target: z.string(),
      target_schema: z.string(),
      direction: directionSchema,
      migrations: z.array(
        z.strictObject({
          id: z.string(),
          kind: kindSchema,
          format: z.enum(["sql", "folder", "code"]),
          direction: directionSchema,
          reason: z.enum([
            "pending",
            "failed before",
            "half applied",
            "out of order",
            "changed",
            "asked for",
          ]),
          description: z.string(),
          path: z.string().nullable(),
          checksum: z.string(),
          down_checksum: z.string().nullable(),
          up_sql: z.string(),
          down_sql: z.string().nullable(),
          requires: z.array(z.string()),
          irreversible: z.string().nullable(),
          statement_hashes: z.array(z.string()),
          module_path: z.string().nullable().describe("of a code migration"),
          resume: z
            .strictObject({
              done: z.int().describe("so many leading steps are done"),
              next: z.enum(["intended", "failed"]).nullable(),
              begun: z
                .strictObject({
                  ordinal: z.int(),
                  hash: z.string(),
                  state: z.enum(["intended", "failed", "unknown"]),
                  had_no_effect: z.boolean(),
                  is_next: z.boolean().describe("the next step is the same; false: the file was edited"),
                  statement: statement.nullable(),
                  note: z.record(z.string(), z.unknown()).nullable().describe("what was known before"),
                })
                .nullable()
                .describe("the step behind them that an earlier run began"),
            })
            .nullable()
            .describe("where a half-done migration goes on"),
          lock_timeout_ms: z.number(),
          statement_timeout_ms: z.number(),
          tolerate_existing: z.boolean(),
          steps: z.array(step),
        }),
      ),
      warnings: z.array(z.strictObject({ message: z.string(), hint: z.string().nullable() })),
      database: z.string(),
      history_schema: z.string(),
    }),
  ),
});
