import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { bundle } from "./build/bundle.ts";
import { emitDeclarations } from "./build/declarations.ts";
import { thirdPartyLicenses } from "./build/licenses.ts";

/** Builds `dist/`, all that the package ships: the command line, the library, its types, the schema of its configuration. */
const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

await rm(dist, { recursive: true, force: true });
const inputs = await bundle(root, dist);
const declarations = await emitDeclarations(root, dist);
await writeFile(join(dist, "THIRD_PARTY_LICENSES.txt"), await thirdPartyLicenses(root, inputs));
await writeFile(join(dist, "config.schema.json"), `${JSON.stringify(await configJsonSchema(), null, 2)}\n`);
process.stdout.write(`dist: ${inputs.length} modules bundled, ${declarations} declarations\n`);
