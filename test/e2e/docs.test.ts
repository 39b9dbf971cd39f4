import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readRepositoryFile, repositoryFiles } from "../architecture/files.ts";
import { runPage } from "./docs-run.ts";

const pages = ["README.md", "docs/architecture.md", ...repositoryFiles("docs/guide"), ...repositoryFiles("docs/errors")].filter(
  (path) => path.endsWith(".md"),
);
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SKIP = new Set<string>(["npm install godwit", "npm install godwit@latest", "npm ci && npm run demo", "npm ci && npm test"]);

describe.concurrent("the commands of", () => {
  it.each(pages)("%s", async (path) => {
    const report = await runPage(path, readFileSync(at(path), "utf8"), SKIP);
    if (process.env["GODWIT_DOCS_UPDATE"] === "1") writeFileSync(at(path), report.text);
    expect(report.problems.join("\n\n")).toBe("");
  });
});
void readRepositoryFile;
