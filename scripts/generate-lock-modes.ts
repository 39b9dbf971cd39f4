/**
 * Writes src/sql/locks/lock-modes.ts: runs the corpus of test/support/locks on a server of every supported version and
 * notes which locks each form of statement took. Writes nothing if there is a lock that no request accounts for.
 */
import { writeFileSync } from "node:fs";
import type { Client } from "pg";
import { resolveConnection } from "../src/postgres/conninfo/resolve.ts";
import { EMBEDDED_MAJORS, type EmbeddedMajor } from "../src/postgres/embedded/packages.ts";
import { openSession, type Session } from "../src/postgres/session.ts";
import { stronger } from "../src/sql/locks/conflicts.ts";
import { abbreviated, roleOf } from "../src/sql/locks/mode-of.ts";
import type { LockMode, LockRequest } from "../src/sql/locks/types.ts";
import { CORPUS, SCHEMA, type CorpusCase } from "../test/support/locks/corpus.ts";
import { observe, withClient } from "../test/support/locks/measure.ts";
import { meant } from "../test/support/locks/predict.ts";
import { startServer } from "../test/support/server.ts";

/** Form → role → version → strongest mode. */
const table = new Map<string, Map<string, Map<EmbeddedMajor, LockMode>>>();
const problems: string[] = [];

await Promise.all(EMBEDDED_MAJORS.map(measureOn));
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;
else writeFileSync(new URL("../src/sql/locks/lock-modes.ts", import.meta.url), asModule());

async function measureOn(major: EmbeddedMajor): Promise<void> {
  const server = await startServer({ major, auth: "trust" });
  try {
    const urlOf = (name: string): string => {
      const url = new URL(server.conninfo);
      url.pathname = `/${name}`;
      return url.href;
    };
    const administer = (sql: string): Promise<unknown> =>
      withClient(server.conninfo, (client) => client.query(sql));
    await administer("CREATE DATABASE corpus");
    await withClient(urlOf("corpus"), (client) => client.query(SCHEMA));
    await administer("CREATE DATABASE original TEMPLATE corpus");
    let copies = 0;
    const copy = async (): Promise<string> => {
      const name = `copy_${++copies}`;
      await administer(`CREATE DATABASE ${name} TEMPLATE original`);
      return urlOf(name);
    };
    const settings = await resolveConnection({ conninfo: urlOf("corpus") }, {});
    const session = await openSession(settings, { applicationName: "corpus" });
    await withClient(urlOf("corpus"), async (client) => {
      for (const one of CORPUS) {
        if (major >= (one.since ?? 0)) await measure(one, major, session, client, copy);
      }
    });
    session.close();
  } finally {
    await server.stop();
  }
}

async function measure(
  one: CorpusCase,
  major: EmbeddedMajor,
  session: Session,
  client: Client,
  copy: () => Promise<string>,
): Promise<void> {
  try {
    const relations = await meant(one.sql, session, { everything: true });
    for (const { oid, name, mode } of await observe(one, client, copy)) {
      if (one.spared?.[name] !== undefined) continue;
      const requests = relations.filter((relation) => relation.oid === oid).map(({ request }) => request);
      // Where several requests reach it, the one that reaches least is what it was locked for.
      const reached = (request: LockRequest): number =>
        relations.filter((relation) => relation.request === request).length;
      const [request] = requests.toSorted((a, b) => reached(a) - reached(b));
      if (request === undefined) problems.push(`${major}: ${one.sql}: ${name} ${mode} is not accounted for`);
      else note(major, request.form, roleOf(request.part, request.reach), mode);
    }
  } catch (error) {
    problems.push(`${major}: ${one.sql}: ${String(error)}`);
  }
}

function note(major: EmbeddedMajor, form: string, role: string, mode: LockMode): void {
  const roles = table.get(form) ?? new Map<string, Map<EmbeddedMajor, LockMode>>();
  table.set(form, roles);
  const modes = roles.get(role) ?? new Map<EmbeddedMajor, LockMode>();
  roles.set(role, modes);
  const before = modes.get(major);
  modes.set(major, before === undefined ? mode : stronger(before, mode));
}

/** The subject's own lock first. */
function byRole([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  if (one === "itself" || other === "itself") return one === "itself" ? -1 : 1;
  return one < other ? -1 : 1;
}

function asModule(): string {
  const lines = [...table.keys()].toSorted().map((form) => {
    const roles = [...table.get(form)!].toSorted(byRole).map(([role, modes]) => {
      const each = EMBEDDED_MAJORS.map((major) => {
        const mode = modes.get(major);
        return mode === undefined ? "-" : abbreviated(mode);
      });
      const [first] = each;
      // A form that came with a later version has no lock to compare with before.
      return `${JSON.stringify(role)}: ${JSON.stringify(each.every((mode) => mode === first) ? first : each.join(" "))}`;
    });
    return `  ${JSON.stringify(form)}: { ${roles.join(", ")} },`;
  });
  return `// Written by scripts/generate-lock-modes.ts from what servers of these versions did; do not edit.

/** The versions in the order of the modes below. */
export const MEASURED_ON: readonly number[] = [${EMBEDDED_MAJORS.join(", ")}];

/**
 * The strongest lock of each form of statement on what its requests reach: one mode for all versions, or one for each
 * (\`-\`: none). AS access share, RS row share, RE row exclusive, SUE share update exclusive, S share, SRE share row
 * exclusive, E exclusive, AE access exclusive.
 */
export const MEASURED_MODES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${lines.join("\n")}
};
`;
}
