/** Writes docs/json/<verb>.schema.json: the schema of what `godwit <verb> --json` prints. */
import { mkdirSync, writeFileSync } from "node:fs";
import { DATA_SCHEMAS, type JsonVerb, publishedSchema } from "../src/cli/json-schemas/by-verb.ts";

const folder = new URL("../docs/json/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const verb of Object.keys(DATA_SCHEMAS) as JsonVerb[]) {
  writeFileSync(new URL(`${verb}.schema.json`, folder), publishedSchema(verb));
}
