import * as z from "zod";
import { documentSchema } from "./envelope.ts";
import { graphSchema } from "./graph.ts";
import { historySchema } from "./history.ts";
import { lockSchema } from "./lock.ts";
import { planSchema } from "./plan.ts";
import { devSchema, initSchema, newSchema } from "./project.ts";
import { repairSchema } from "./repair.ts";
import { runSchema } from "./run.ts";
import { statusSchema } from "./status.ts";
import { completionSchema, demoSchema, versionSchema } from "./tool.ts";
import { verifySchema } from "./verify.ts";
import { waitSchema } from "./wait.ts";

/** The `data` of each verb. `--dry-run` of a verb prints the document of `plan`. */
export const DATA_SCHEMAS = {
  init: initSchema,
  new: newSchema,
  demo: demoSchema,
  dev: devSchema,
  up: runSchema,
  down: runSchema,
  redo: runSchema,
  status: statusSchema,
  plan: planSchema,
  history: historySchema,
  graph: graphSchema,
  verify: verifySchema,
  wait: waitSchema,
  baseline: runSchema,
  repair: repairSchema,
  lock: lockSchema,
  completion: completionSchema,
  version: versionSchema,
} as const satisfies Record<string, z.ZodType>;

export type JsonVerb = keyof typeof DATA_SCHEMAS;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys of a constant
export const JSON_VERBS = Object.keys(DATA_SCHEMAS) as JsonVerb[];

/** The schema of the whole document that a verb prints. */
export function schemaOfDocument(verb: JsonVerb): z.ZodType {
  return documentSchema(verb, DATA_SCHEMAS[verb]);
}

/** The published text of a verb's schema: JSON Schema, draft 2020-12, with a trailing newline. */
export function publishedSchema(verb: JsonVerb): string {
  return `${JSON.stringify(z.toJSONSchema(schemaOfDocument(verb)), null, 2)}\n`;
}
