import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isGodwitError } from "../../src/core/error.ts";
import { resolveConnection } from "../../src/postgres/conninfo/resolve.ts";
import { connect } from "../../src/postgres/connect.ts";
import { findPsql } from "../support/psql.ts";
import { testMajor } from "../support/server.ts";
import type { Cases, ConnectionCase } from "./connections/case.ts";
import { authenticationCases } from "./connections/authentication-cases.ts";
import { environmentCases } from "./connections/environment-cases.ts";
import { hostCases } from "./connections/host-cases.ts";
import { stringCases } from "./connections/string-cases.ts";
import { tlsCases } from "./connections/tls-cases.ts";
import { createHome, createWorld } from "./connections/world.ts";

/** Who one is, where, and how: all that the settings of a connection decide. */
const WHERE_AM_I = `SELECT concat_ws('|', current_user, current_database(),
  coalesce(inet_server_port()::text, 'socket'), current_setting('application_name'),
  (SELECT coalesce(version, 'plain') || coalesce(' ' || client_dn, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
  current_setting('search_path'), current_setting('TimeZone'), current_setting('DateStyle'), current_setting('geqo'),
  pg_is_in_recovery(), current_setting('transaction_read_only')) AS answer`;

type Answer = { readonly rows: string } | { readonly error: string };

const psql = await findPsql();
if (psql === null) {
  const message = "psql is needed to compare with: install the package postgresql-client";
  if (process.env["CI"] === "true") throw new Error(message);
  process.stderr.write(`connections are tested without a comparison: ${message}\n`);
}
// Made while tests are collected, since the cases are written in terms of its ports and files.
const world = await createWorld();
afterAll(async () => await world.stop());

/** What Godwit makes of a case. */
async function ask(one: ConnectionCase, env: Readonly<Record<string, string>>): Promise<Answer> {
  try {
    const settings = await resolveConnection({ conninfo: one.conninfo ?? "" }, env);
    const client = await connect(settings, { applicationName: settings.applicationName ?? "psql" });
    try {
      const { rows } = await client.query<{ answer: string }>(WHERE_AM_I);
      return { rows: rows[0]!.answer };
    } finally {
      await client.end();
    }
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    return { error: error.message };
  }
}

/** What both make of a case; psql null when it is missing or too old for the case. */
async function askBoth(one: ConnectionCase): Promise<{ ours: Answer; theirs: Answer | null }> {
  const home = await createHome(world, one.name);
  for (const [name, { text, mode = 0o600 }] of Object.entries(one.files ?? {})) {
    const file = join(home, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, mode);
  }
  const env = { HOME: home, ...one.env };
  const ours = await ask(one, env);
  const comparable = psql !== null && psql.major >= (one.libpq ?? 0);
  return { ours, theirs: comparable ? await psql.query(one.conninfo ?? "", WHERE_AM_I, env) : null };
}

/** An answer as one text, so that any case is one pattern. */
function textOf(answer: Answer): string {
  return "rows" in answer ? `connected: ${answer.rows}` : `failed: ${answer.error}`;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function patternOf({ expect: part = "", fails }: ConnectionCase): RegExp {
  if (fails !== undefined) return new RegExp(`^failed: [^]*(?:${fails.source})`, fails.flags);
  return new RegExp(`^connected: .*${typeof part === "string" ? escape(part) : part.source}`);
}

function psqlPatternOf(one: ConnectionCase, ours: Answer): RegExp {
  if (one.fails === undefined) return new RegExp(`^${escape(textOf(ours))}$`);
  return patternOf({ ...one, fails: one.psqlFails ?? one.fails });
}

describe.each<[string, Cases]>([
  ["connection strings", stringCases],
  ["variables and files", environmentCases],
  ["hosts", hostCases],
  ["TLS settings", tlsCases],
  ["authentication settings", authenticationCases],
])("%s mean what they mean to psql", (_, cases) => {
  const testable = cases(world).filter(({ server = 0 }) => testMajor() >= server);
  it.each(testable.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const { ours, theirs } = await askBoth(one);
    expect(textOf(ours)).toMatch(patternOf(one));
    expect(textOf(theirs ?? ours)).toMatch(theirs === null ? patternOf(one) : psqlPatternOf(one, ours));
  });
});
