import * as z from "zod";

export const newSchema = z.strictObject({
  path: z.string(),
  id: z.string(),
  sorts_before: z.string().nullable().describe("an older id that sorts behind the new one"),
});

export const initSchema = z.strictObject({
  created: z.array(z.string()),
  existed: z.array(z.string()).describe("what was there before and left as it is"),
});

export const devServerSchema = z.strictObject({
  running: z.boolean(),
  pid: z.int().nullable(),
  directory: z.string(),
  url: z.string().nullable().describe("without the password"),
});
const devStoppedSchema = z.strictObject({ stopped: z.boolean(), pid: z.int().nullable() });

/** `dev start` and `dev status`; `dev stop`. */
export const devSchema = z.union([devServerSchema, devStoppedSchema]);
