import * as z from "zod";
import { errorSchema } from "./envelope.ts";

export const directionSchema = z.enum(["up", "down"]);
export const kindSchema = z.enum(["versioned", "repeatable"]);

/** `up`, `down`, `redo`, `baseline`: what was done on each target, in order. */
export const runSchema = z.strictObject({
  run_id: z.string(),
  targets: z.array(
    z.strictObject({
      target: z.string(),
      stream: z.string(),
      database: z.string().describe("name on host:port"),
      migrations: z.array(
        z.strictObject({
          id: z.string(),
          kind: kindSchema,
          direction: directionSchema,
          duration_ms: z.number(),
          statements: z.int(),
          tolerated: z
            .array(z.string())
            .describe("objects that were there already and equal what the migration makes"),
        }),
      ),
      duration_ms: z.number(),
      warnings: z.array(z.string()),
      error: errorSchema.nullable(),
      unfinished: z
        .string()
        .nullable()
        .describe(
          "id of a migration that stopped on its way, not rolled back as a whole, and waits to go on",
        ),
      skipped: z.string().nullable().describe("why the target was not touched"),
    }),
  ),
  total: z.int().describe("migrations run over all targets"),
  duration_ms: z.number(),
});
