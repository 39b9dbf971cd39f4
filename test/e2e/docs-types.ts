import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Checks the types of examples, each a module of its own, with the settings of this repository.
 * @returns what the compiler says, with the places of the examples; empty: nothing.
 */
export async function typeErrors(
  examples: readonly { readonly place: string; readonly text: string }[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-docs-types-"));
  try {
    for (const [at, { text }] of examples.entries())
      writeFileSync(join(folder, `example-${at}.ts`), `${text}\n`);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(ROOT, "tsconfig.json"),
        compilerOptions: {
          typeRoots: [join(ROOT, "node_modules/@types")],
          paths: { godwit: [join(ROOT, "src/index.ts")] },
        },
        include: ["*.ts"],
      }),
    );
    const { promise, resolve } = Promise.withResolvers<string>();
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    execFile(process.execPath, [compiler, "-p", folder], { cwd: folder }, (error, stdout, stderr) => {
      resolve(error === null ? "" : `${stdout}${stderr}`);
    });
    // What is wrong in the sources themselves is told by the check of the sources.
    const said = (await promise).split("\n").filter((line) => line.startsWith("example-"));
    return said.join("\n").replaceAll(/example-(\d+)\.ts/g, (_, at: string) => examples[Number(at)]!.place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
