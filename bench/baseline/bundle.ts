import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Command } from "../command.ts";
import { WORK_FOLDER } from "../folders.ts";

const BUNDLE = join(WORK_FOLDER, "connect-and-select.mjs");
const REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Bundles the script that only connects and selects once, as a program that cares for its start would be. */
export async function bundleBaseline(): Promise<(databaseUrl: string) => Command> {
  await build({
    entryPoints: [fileURLToPath(import.meta.resolve("./connect-and-select.ts"))],
    outfile: BUNDLE,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: `node${process.versions.node}`,
    external: ["pg-native"],
    banner: { js: REQUIRE },
    logLevel: "silent",
  });
  return (databaseUrl) => ({ file: process.execPath, args: [BUNDLE, databaseUrl], cwd: WORK_FOLDER });
}
