import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readManifest } from "./manifest.ts";

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * The licences of the packages whose code the bundle contains, as their terms ask for.
 * @param inputs paths of the modules that went in, relative to the root.
 * @throws Error for a package without a licence text: it must not be bundled.
 */
export async function thirdPartyLicenses(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []));
  const sections: string[] = [];
  for (const folder of [...folders].toSorted()) {
    const { name, version, license } = await readManifest(join(root, folder));
    const text = await licenseText(join(root, folder));
    if (text === null) throw new Error(`${name} is bundled and has no licence text`);
    sections.push(`${name} ${version} (${license})\n\n${text}\n`);
  }
  return ["Godwit contains code of these packages.\n", ...sections].join(`\n${"-".repeat(78)}\n\n`);
}

/** The licence file of a package, or what its README says under that heading. */
async function licenseText(folder: string): Promise<string | null> {
  const files = await readdir(folder);
  const file = files.find((name) => /^(?:licen[cs]e|copying)(?:\.|$)/i.test(name));
  if (file !== undefined) return (await readFile(join(folder, file), "utf8")).trim();
  const readme = files.find((name) => /^readme(?:\.|$)/i.test(name));
  if (readme === undefined) return null;
  const section = /^#+\s*licen[cs]e\s*$(?<text>[\s\S]+?)(?=^#|$(?![\s\S]))/im.exec(
    await readFile(join(folder, readme), "utf8"),
  );
  return section?.groups?.["text"]?.trim() ?? null;
}
