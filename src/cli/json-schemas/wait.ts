import * as z from "zod";

export const waitSchema = z.strictObject({
  reached: z.boolean(),
  waited_ms: z.number(),
  targets: z.array(
    z.strictObject({ target: z.string(), database: z.string(), missing: z.array(z.string()) }),
  ),
});
