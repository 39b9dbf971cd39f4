import * as z from "zod";

export const repairSchema = z.strictObject({
  run_id: z.string().nullable(),
  repaired: z.array(
    z.strictObject({
      target: z.string(),
      id: z.string(),
      action: z.enum([
        "accept-checksum",
        "forget",
        "mark-applied",
        "mark-not-applied",
        "mark-step-applied",
        "mark-step-not-applied",
      ]),
    }),
  ),
  remaining: z.array(
    z.strictObject({
      target: z.string(),
      id: z.string(),
      problem: z.enum(["half_applied", "checksum", "missing"]),
      explanation: z.string(),
      needs_person: z.boolean().describe("false: for information, nothing has to be decided"),
      choices: z.array(z.strictObject({ command: z.string(), effect: z.string() })),
    }),
  ),
});
