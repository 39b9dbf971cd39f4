import * as z from "zod";
import { kindSchema } from "./run.ts";

export const stateSchema = z.enum(["applied", "pending", "failed", "half_applied"]);

export const statusSchema = z.strictObject({
  targets: z.array(
    z.strictObject({
      target: z.string(),
      stream: z.string(),
      database: z.string(),
      server: z.string(),
      history_version: z.int().nullable().describe("null: no history yet"),
      migrations: z.array(
        z.strictObject({
          id: z.string(),
          kind: kindSchema,
          state: stateSchema,
          flags: z.array(
            z.enum([
              "baseline",
              "file_missing",
              "file_changed",
              "file_reformatted",
              "out_of_order",
              "rolled_back",
              "half_taken_back",
              "down_changed",
              "superseded",
            ]),
          ),
          description: z.string(),
          applied_at: z.string().nullable().describe("ISO 8601, by the database's clock"),
          applied_by: z.string().nullable(),
          execution_ms: z.number().nullable(),
          error: z.string().nullable(),
        }),
      ),
      counts: z.strictObject({
        applied: z.int(),
        pending: z.int(),
        failed: z.int(),
        changed: z.int(),
        missing: z.int(),
      }),
      code: z
        .enum(["OK", "PENDING", "CHECKSUM_MISMATCH", "NEEDS_REPAIR"])
        .describe("what --exit-code makes of it"),
      locked_by: z.string().nullable().describe("who holds Godwit's lock now"),
    }),
  ),
});
