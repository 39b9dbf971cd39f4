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
      down_changed: z
        .array(z.string())
        .describe("whose way down alone was edited: the stored one is what runs"),
      reformatted: z.array(z.string()).describe("in which only comments or white space were edited"),
      missing: z.array(z.string()),
    }),
  ),
});
