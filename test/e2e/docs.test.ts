import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { FILE_DIRECTIVES, STATEMENT_DIRECTIVES } from "../../src/migrations/directives.ts";
import { globalOptions } from "../../src/cli/global-options.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { ERROR_CODES } from "../../src/core/error-codes.ts";
import { splitSql } from "../../src/sql/split.ts";
import { readRepositoryFile, repositoryFiles } from "../architecture/files.ts";
import { uninstall } from "./docs-install.ts";
import { brokenLinks } from "./docs-links.ts";
import { readPage } from "./docs-page.ts";
import { runPage } from "./docs-run.ts";
import { Scratch } from "./docs-scratch.ts";
import { typeErrors } from "./docs-types.ts";

/** Commands that are shown and that no test can run: they fetch the package, or start the tests themselves. */
const NOT_RUN = new Set([
  "npm install godwit",
  "npm install godwit@latest",
  "npm ci && npm run demo",
  "npm ci && npm test",
]);
/** Pages that show commands in a block of type `text`, which is not run: they need a minute, or a pooler. */
const ONLY_SHOWN = [
  "docs/errors/BLOCKED_OTHERS.md",
  "docs/errors/OBJECT_LOCK_TIMEOUT.md",
  "docs/errors/POOLER_NEEDS_DIRECT_URL.md",
];

const guide = repositoryFiles("docs/guide").filter((path) => path.endsWith(".md"));
const pages = new Map(
  ["README.md", "docs/architecture.md", ...guide, ...repositoryFiles("docs/errors")].map((path) => [
    path,
    readRepositoryFile(path),
  ]),
);
const fences = [...pages].flatMap(([path, text]) =>
  readPage(text).fences.map((fence) => ({ ...fence, place: `${path}:${fence.line}` })),
);

/**
 * With GODWIT_DOCS_UPDATE=1 the pages are given what is printed now where it differs, with `all` everywhere; look at
 * the difference before you keep it.
 */
const updating = process.env["GODWIT_DOCS_UPDATE"] ?? "";

afterAll(uninstall);

describe.concurrent("what is typed in", () => {
  it.each([...pages.keys()])("%s works as shown", async (path) => {
    const report = await runPage(path, pages.get(path)!, NOT_RUN, updating === "all");
    if (updating !== "") writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), report.text);
    expect(report.problems.join("\n\n")).toBe("");
  });
});

describe("what the test of the pages is made of", () => {
  it("leaves out no command that no page shows", () => {
    const shown = [...pages.values()].flatMap((text) =>
      readPage(text).actions.flatMap((action) =>
        action.kind === "console" && action.instead === null ? action.commands.map((one) => one.text) : [],
      ),
    );
    expect([...NOT_RUN].filter((command) => !shown.includes(command))).toEqual([]);
  });

  it("runs every block with commands, but for the pages named", () => {
    const only = fences.filter(
      ({ language, text }) => !["console", "sh"].includes(language) && /^(?:\$ |npx godwit)/m.test(text),
    );
    expect(only.map(({ place }) => place.replace(/:\d+$/, ""))).toEqual(ONLY_SHOWN);
  });

  it("notices another output, another exit status, and a note that means nothing", async () => {
    const page = (block: string) => runPage("page.md", block, new Set());
    const right = await page("```console\n$ echo one; echo two\n⋮\ntwo\n```");
    expect(right.problems).toEqual([]);
    const wrong = await page(
      "```console\n$ echo one\ntwo\n\n$ exit 3\n```\n<!-- docs:exit 4 -->\n```sh\nexit 3\n```",
    );
    expect(wrong.problems).toHaveLength(3);
    expect(wrong.text).toContain("$ echo one\none\n");
    expect(() => readPage("<!-- docs:nothing -->")).toThrow("means nothing");
  });
});

describe("the examples", () => {
  it("in TypeScript have the right types", async () => {
    const examples = fences.filter(({ language }) => language === "ts");
    expect(examples.length).toBeGreaterThan(4);
    expect(await typeErrors(examples)).toBe("");
  });

  it("in SQL are SQL", async () => {
    const examples = fences.filter(({ language }) => language === "sql");
    const problems = await Promise.all(
      examples.map(async ({ place, text }) =>
        (await splitSql(text)).problems.map((problem) => `${place}: ${problem.message}`),
      ),
    );
    expect(problems.flat()).toEqual([]);
  });
});

it("no link leads nowhere", () => {
  const all = repositoryFiles().filter((path) => path.endsWith(".md"));
  expect(
    brokenLinks(new Map(all.map((path) => [path, readRepositoryFile(path)])), repositoryFiles()),
  ).toEqual([]);
});

describe("nothing is left out", () => {
  it("of the verbs and their flags", async () => {
    const page = pages.get("docs/guide/commands.md")!;
    const { Command } = await import("commander");
    const missing: string[] = [];
    for (const verb of VERBS) {
      const command = new Command(verb.name);
      (await verb.load()).define(command, () => Promise.resolve());
      const words = [verb.name, ...verb.aliases, ...command.options.map((option) => option.long ?? "")];
      missing.push(
        ...words.filter((word) => !page.includes(`\`${word}`)).map((word) => `${verb.name}: ${word}`),
      );
    }
    const flags = Object.values(globalOptions()).flatMap((group) => group.map((option) => option.long ?? ""));
    expect([...missing, ...flags.filter((flag) => !page.includes(`\`${flag}`))]).toEqual([]);
  });

  it("of the configuration's keys", async () => {
    const page = pages.get("docs/guide/configuration.md")!;
    const missing = keysOf(await configJsonSchema()).filter((key) => !page.includes(key));
    expect(missing).toEqual([]);
  });

  it("of the directives", () => {
    const page = pages.get("docs/guide/migration-files.md")!;
    expect(
      [...FILE_DIRECTIVES, ...STATEMENT_DIRECTIVES].filter((name) => !page.includes(`\`${name} `)),
    ).toEqual([]);
  });

  it("of the error codes", () => {
    const rows = Object.entries(ERROR_CODES).map(
      ([code, { exit, summary }]) => `| ${exit} | [${code}](${code}.md) | ${summary} |`,
    );
    const page = pages.get("docs/errors/README.md")!;
    expect(page.split("\n").filter((line) => /^\| \d/.test(line))).toEqual(rows);
  });
});

describe("the query that proves the log", () => {
  const query = fences.find(
    ({ language, text }) => language === "sql" && text.includes("WITH entries"),
  )!.text;
  let scratch: Scratch | undefined;
  afterAll(() => scratch?.close());

  it("finds what was altered, removed, added or cut off", async () => {
    scratch = await Scratch.make();
    scratch.write(
      "migrations/1_a.sql",
      "-- migrate:up\nCREATE TABLE a (n int);\n-- migrate:down\nDROP TABLE a;\n",
    );
    for (const verb of ["up", "down", "up"]) expect((await scratch.run(`npx godwit ${verb}`)).exit).toBe(0);
    const log = "godwit.migration_log";
    const acts = [
      `UPDATE ${log} SET message = 'nothing' WHERE seq = 2`,
      `UPDATE ${log} SET details = details || '{"by": "me"}' WHERE seq = 2`,
      `DELETE FROM ${log} WHERE seq = 2`,
      `DELETE FROM ${log} WHERE seq = 1`,
      `DELETE FROM ${log} WHERE seq = (SELECT max(seq) FROM ${log})`,
      `INSERT INTO ${log} SELECT stream, target_schema, seq + 1, run_id, migration_id, level, event, message, details, at, hash, hash
        FROM ${log} ORDER BY seq DESC LIMIT 1`,
      `DELETE FROM ${log}`,
    ];
    expect(await scratch.rows(query)).toBe(0);
    const found: number[] = [];
    for (const act of acts) {
      await scratch.sql(`CREATE TABLE kept AS SELECT * FROM ${log}; ${act}`);
      found.push(await scratch.rows(query));
      await scratch.sql(`DELETE FROM ${log}; INSERT INTO ${log} SELECT * FROM kept; DROP TABLE kept`);
    }
    expect(found.map((rows) => rows > 0)).toEqual(acts.map(() => true));
  });
});

/** Dotted names of all keys of a schema; `<name>` stands for any. */
function keysOf(schema: unknown, before = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties = {}, additionalProperties, anyOf = [] } = schema as Record<string, object | undefined>;
  const nested = (anyOf as unknown[]).flatMap((one) => keysOf(one, before));
  const named = Object.entries(properties ?? {}).flatMap(([key, inner]) => {
    const path = before === "" ? key : `${before}.${key}`;
    const deeper = keysOf(inner, path);
    return deeper.length > 0
      ? deeper
      : [/(?:^|\.)(?:database|direct_url)\./.test(`${path}.`) ? `\`${key}\`` : `\`${path}\``];
  });
  const any = keysOf(additionalProperties, `${before}.<name>`);
  return [...nested, ...named, ...any].filter(
    (key) => !/^`(?:migrations|database|direct_url|search_path)`$/.test(key),
  );
}
