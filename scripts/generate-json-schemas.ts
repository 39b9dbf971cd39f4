/** Writes docs/json/<verb>.schema.json: the schema of what `godwit <verb> --json` prints. */
import { mkdirSync, writeFileSync } from "node:fs";
import { JSON_VERBS, publishedSchema } from "../src/cli/json-schemas/by-verb.ts";

const folder = new URL("../docs/json/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const verb of JSON_VERBS) {
  writeFileSync(new URL(`${verb}.schema.json`, folder), publishedSchema(verb));
}
