import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The test runner translates what it imports, so these modules are loaded by a Node of their own, as in real life. */
const PARSE = `
import { parseMigrations } from ${JSON.stringify(new URL("parse.ts", import.meta.url).href)};
const found = {};
for (const path of process.argv.slice(1)) {
  const file = { stream: "app", id: "1", kind: "versioned", format: "code", path, downPath: null, checksum: "" };
  const { migrations: [migration], problems } = await parseMigrations([file]);
  found[path] = {
    problems: problems.map(({ code, message, hint, location }) => ({ code, message, hint, location })),
    down: migration === undefined ? null : migration.down !== null,
  };
}
process.stdout.write(JSON.stringify(found));
`;

const MODULES: Readonly<Record<string, string>> = {
  "enum.ts": "\nenum Colour { Red }\nexport function up() {}",
  "syntax.ts": "export function up() {\n  const x = ;\n}",
  "syntax.mjs": "export function up() {\n  const x = ;\n}",
  "throws.ts": "const a: number = 1;\n  throw new Error('boom');",
  "throws-text.mjs": "throw 'boom';",
  "no-module.ts": "import './nope.ts';\nexport function up() {}",
  "no-package.ts": "import 'no-such-package';\nexport function up() {}",
  "no-export.ts": "export function up() {}\nimport { nothing } from './lib/rate.ts';\nexport { nothing };",
  "helper.ts": "import './lib/broken.ts';\nexport function up() {}",
  "sound.ts":
    "import type { MigrationDb } from 'godwit';\nexport async function up(db: MigrationDb): Promise<void> {}",
  "commonjs/named.js": "exports.up = () => {};\nexports.down = () => {};",
  "commonjs/whole.js": "const it = { up() {}, down() {} };\nmodule.exports = it;",
  "lib/rate.ts": "export const rate = 1;\n",
  "lib/broken.ts": "export const rate = 1;\nthrow new Error('no rate');\n",
};

interface Outcome {
  readonly problems: readonly {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly location: {
      readonly file: string;
      readonly line: number;
      readonly column: number;
      readonly excerpt: string;
    };
  }[];
  readonly down: boolean | null;
}

let directory: string;
let outcomes: Readonly<Record<string, Outcome>>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "godwit-code-"));
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  for (const [name, text] of Object.entries(MODULES)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  writeFileSync(join(directory, "commonjs/package.json"), "{}");
  const paths = Object.keys(MODULES).map((name) => join(directory, name));
  outcomes = JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "--eval", PARSE, ...paths], {
      encoding: "utf8",
      stdio: "pipe",
    }),
  );
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function outcome(name: string): Outcome {
  return outcomes[join(directory, name)]!;
}

describe("a module that cannot be loaded", () => {
  it.each([
    ["enum.ts", "enum.ts:2:1", "TypeScript enum is not supported in strip-only mode", "instead of the enum"],
    ["syntax.ts", "syntax.ts:2:13", "Expression expected", "correct the file"],
    ["syntax.mjs", "syntax.mjs:2:13", "Unexpected token ';'", "correct the file"],
    ["throws.ts", "throws.ts:2:9", "boom", "correct the file"],
    ["throws-text.mjs", "throws-text.mjs:1:1", "boom", "correct the file"],
    ["no-module.ts", "no-module.ts:1:1", "Cannot find module", "with its extension"],
    ["no-package.ts", "no-package.ts:1:1", "Cannot find package 'no-such-package'", "install the package"],
    ["no-export.ts", "no-export.ts:2:10", "does not provide an export named 'nothing'", "correct the file"],
    ["helper.ts", "broken.ts:2:7", "no rate", "correct the file"],
  ])("is reported with place, reason and remedy: %s", (name, place, reason, remedy) => {
    const { problems, down } = outcome(name);
    expect(down).toBeNull();
    expect(problems).toHaveLength(1);
    const { code, message, hint, location } = problems[0]!;
    expect(code).toBe("MIGRATION_MALFORMED");
    expect(`${basename(location.file)}:${location.line}:${location.column}`).toBe(place);
    expect(message).toContain("the module cannot be loaded: ");
    expect(message).toContain(reason);
    expect(hint).toContain(remedy);
    expect(location.excerpt).toContain("^");
  });
});

describe("a module that can be loaded", () => {
  it.each([
    ["sound.ts", false],
    ["commonjs/named.js", true],
    ["commonjs/whole.js", true],
  ])("is understood by Node itself: %s", (name, down) => {
    expect(outcome(name)).toEqual({ problems: [], down });
  });
});
