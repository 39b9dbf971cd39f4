import * as z from "zod";
import { stateSchema } from "./status.ts";

export const graphSchema = z.strictObject({
  nodes: z.array(
    z.strictObject({
      stream: z.string(),
      id: z.string(),
      description: z.string(),
      requires: z.array(z.string()),
      state: stateSchema.nullable().describe("null: the database was not asked"),
    }),
  ),
});
