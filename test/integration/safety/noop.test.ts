import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checksumOf } from "../../../src/sql/checksum.ts";
import { MAIN } from "../../e2e/cli-harness.ts";
import { testFolder, testProject, writeFiles } from "../../support/project.ts";

const COUNT = 10_000;

/** Tells at the end which modules were loaded, and how much memory it took. */
const PROBE = `import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
process.on("exit", () => process.stderr.write("\\nPROBE " + JSON.stringify({ urls, peakKb: process.resourceUsage().maxRSS })));
`;

interface Report {
  readonly total: number;
  readonly urls: readonly string[];
  readonly peakKb: number;
}

/** Runs `up` in a process of its own. */
async function probed(root: string, probe: string, url: string): Promise<Report> {
  const child = spawn(process.execPath, ["--import", join(probe, "probe.mjs"), MAIN, "up", "--json"], {
    cwd: root,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], DATABASE_URL: url },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, "close");
  const { data } = JSON.parse(stdout) as { data: { total: number } };
  const report = JSON.parse(stderr.slice(stderr.indexOf("PROBE ") + 6)) as Omit<Report, "total">;
  return { ...report, total: data.total };
}

it(
  `${COUNT} applied migrations are no work for up: nothing is parsed, and memory stays small`,
  { timeout: 120_000 },
  async () => {
    const { godwit, database, write, root } = await testProject({
      "1000000_first.sql": "CREATE TABLE first ();\n",
    });
    await godwit.up();
    const textOf = (id: string): string => `CREATE TABLE t_${id} (id int);\n`;
    const ids = Array.from({ length: COUNT - 1 }, (_, n) => `${1_000_001 + n}_t`);
    await write(Object.fromEntries(ids.map((id) => [`${id}.sql`, textOf(id)])));
    await database.query(
      `INSERT INTO godwit.migrations (stream, target_schema, id, kind, format, description, status, checksum, statement_hashes, requires, applied_seq, tool_version)
     SELECT 'default', '', id, 'versioned', 'sql', '', 'completed', checksum, '{}', '{}', n + 1, '0'
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u (id, checksum, n)`,
      [ids, ids.map((id) => checksumOf(textOf(id)))],
    );
    const probe = await testFolder();
    await writeFiles(probe, { "probe.mjs": PROBE });

    const idle = await probed(root, probe, database.url);
    expect(idle.total).toBe(0);
    expect(idle.urls.some((url) => url.endsWith("/src/fleet/up.ts"))).toBe(true);
    for (const heavy of ["libpg-query", "/zod/", "/yaml/"]) {
      expect(
        idle.urls.filter((url) => url.includes(heavy)),
        heavy,
      ).toEqual([]);
    }
    expect(idle.peakKb).toBeLessThan(200 * 1024);

    // The probe does see it where there is something to parse.
    await write({ "9999999_last.sql": "CREATE TABLE last ();\n" });
    const busy = await probed(root, probe, database.url);
    expect(busy.total).toBe(1);
    expect(busy.urls.some((url) => url.includes("libpg-query"))).toBe(true);
    expect(busy.peakKb).toBeLessThan(200 * 1024);
  },
);
