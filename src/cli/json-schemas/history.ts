import * as z from "zod";

export const historySchema = z.strictObject({
  targets: z.array(
    z.strictObject({
      target: z.string(),
      database: z.string(),
      entries: z.array(
        z.strictObject({
          seq: z.int(),
          at: z.string().describe("ISO 8601, by the database's clock"),
          level: z.enum(["debug", "info", "warning", "error", "critical"]),
          event: z.string(),
          id: z.string().nullable(),
          message: z.string(),
          run_id: z.string().nullable(),
          by: z.string().nullable(),
          details: z.unknown().describe("as stored in the log"),
        }),
      ),
    }),
  ),
});
