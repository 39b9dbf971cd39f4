import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../scripts/build/bundle.ts";

/** The command line and the library as the package ships them. */
export interface Installed {
  readonly main: string;
  readonly library: string;
}

let made: { readonly folder: string; readonly installed: Promise<Installed> } | undefined;

/** Bundles the sources once, where the packages that stay outside of the bundle are found. */
export function install(): Promise<Installed> {
  if (made === undefined) {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const cache = join(root, "node_modules/.cache");
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, "godwit-docs-"));
    const installed = bundle(root, folder).then(() => ({
      main: join(folder, "cli/main.js"),
      library: join(folder, "index.js"),
    }));
    made = { folder, installed };
  }
  return made.installed;
}

/** Removes what `install` made. */
export function uninstall(): void {
  if (made !== undefined) rmSync(made.folder, { recursive: true, force: true });
  made = undefined;
}
