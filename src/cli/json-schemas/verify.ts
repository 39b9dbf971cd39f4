import * as z from "zod";

export const verifySchema = z.strictObject({
  targets: z.array(
    z.strictObject({
      target: z.string(),
      database: z.string(),
      entries: z.int(),
      broken_at: z
        .int()
        .nullable()
        .describe("the first entry that does not follow from the one before; null: the chain holds"),
      reason: z.string().nullable(),
      changed: z.array(z.string()),
      missing: z.array(z.string()),
    }),
  ),
});
