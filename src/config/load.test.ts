import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isGodwitError } from "../core/error.ts";
import { loadConfig } from "./load.ts";
import type { Config } from "./types.ts";

const SECRET = "hunter2";
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "godwit-config-")));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

type Environment = Record<string, string>;

function load(name: string, text: string, env: Environment = {}): Promise<Config> {
  writeFileSync(join(folder, name), text);
  return loadConfig({ cwd: folder, env });
}
const yaml = (text: string, env: Environment = {}) => load("godwit.config.yaml", text, env);

const json = (text: string) => load("godwit.config.json", text);

/** `line:column message → hint` of each problem. */
async function problems(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    if (!isGodwitError(error)) throw error;
    const all = error.problems.length > 0 ? error.problems : [error];
    const told = all.map(({ location, message, hint }) =>
      [
        location === undefined ? "" : `${location.line}:${location.column} `,
        message,
        hint === undefined ? "" : ` → ${hint}`,
      ].join(""),
    );
    if ([error.message, ...told].join("\n").includes(SECRET))
      throw new Error("a secret is shown", { cause: error });
    return told;
  }
  throw new Error("nothing was thrown");
}

function isDeeplyFrozen(value: unknown): boolean {
  return (
    typeof value !== "object" ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen))
  );
}

describe("without a file", () => {
  it("is one stream of ./migrations on the database of the environment", async () => {
    const config = await loadConfig({ cwd: folder, env: { A: "b" } });
    expect(config).toEqual({
      root: folder,
      file: null,
      streams: [
        {
          name: "default",
          migrations: join(folder, "migrations"),
          after: [],
          database: { kind: "environment" },
          directUrl: null,
          searchPath: null,
        },
      ],
      historySchema: "godwit",
      lock: { provider: "auto", redis: null, leaseMs: 15_000 },
      safety: {
        lockTimeoutMs: 500,
        statementTimeoutMs: 0,
        maxBlockingMs: 2000,
        patientTimeoutMs: 3_600_000,
        cancelBlockersAfterMs: 0,
        terminateBlockersAfterMs: 0,
        tolerateExisting: false,
      },
      env: { A: "b" },
    });
    expect(isDeeplyFrozen(config)).toBe(true);
  });

  it("names the stream after SERVICE_NAME", async () => {
    const named = await loadConfig({ cwd: folder, env: { SERVICE_NAME: "betting" } });
    expect(named.streams[0]?.name).toBe("betting");
    const unnamed = await loadConfig({ cwd: folder, env: { SERVICE_NAME: "" } });
    expect(unnamed.streams[0]?.name).toBe("default");
    await expect(loadConfig({ cwd: folder, env: { SERVICE_NAME: "Betting Service" } })).rejects.toMatchObject(
      {
        code: "CONFIG_INVALID",
        message: expect.stringContaining("SERVICE_NAME"),
      },
    );
  });

  it("stops when told to", async () => {
    const signal = AbortSignal.abort();
    await expect(loadConfig({ cwd: folder, env: {}, signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("a YAML file", () => {
  it("says everything that can be said", async () => {
    const config = await yaml(
      `
streams:
  betting:
    migrations: \${DIR:-sql}/betting
    after: [shared, shared]
    database: { host: "\${DB_HOST}", port: 6543, name: "\${BETTING_DB_NAME}", user: "\${DB_USER}", password: "\${DB_PASSWORD}" }
    search_path: app, public
  shared: { migrations: /srv/shared, database: "\${SHARED_DATABASE_URL}", direct_url: "\${SHARED_DIRECT_URL}" }
  local: { migrations: local, database: embedded }
lock: { provider: redis, redis: "\${REDIS_URL}", lease: "\${LEASE:-30s}" }
safety: { lock_timeout: 1s, max_blocking: "\${BLOCKING:-2s}", statement_timeout: 0, refuse: [], backup: never, tolerate_existing: true }
history: { schema: ops }
`,
    );
    expect(config).toMatchObject({
      root: folder,
      file: join(folder, "godwit.config.yaml"),
      streams: [
        {
          name: "shared",
          migrations: "/srv/shared",
          database: { kind: "string", value: "${SHARED_DATABASE_URL}", key: "streams.shared.database" },
          directUrl: { kind: "string", value: "${SHARED_DIRECT_URL}", key: "streams.shared.direct_url" },
        },
        {
          name: "betting",
          migrations: join(folder, "sql/betting"),
          after: ["shared"],
          database: {
            kind: "object",
            host: "${DB_HOST}",
            port: "6543",
            name: "${BETTING_DB_NAME}",
            user: "${DB_USER}",
            password: "${DB_PASSWORD}",
            key: "streams.betting.database",
          },
          searchPath: "app, public",
        },
        { name: "local", database: { kind: "embedded" } },
      ],
      historySchema: "ops",
      lock: { provider: "redis", redis: "${REDIS_URL}", leaseMs: 30_000 },
      safety: {
        lockTimeoutMs: 1000,
        statementTimeoutMs: 0,
        maxBlockingMs: 2000,
        patientTimeoutMs: 3_600_000,
        cancelBlockersAfterMs: 0,
        terminateBlockersAfterMs: 0,
        tolerateExisting: true,
      },
    });
    expect(isDeeplyFrozen(config)).toBe(true);
  });

  it("has a short form for one stream, and may be empty", async () => {
    const short = await yaml("database: host=h\nmigrations: db/up\n", { SERVICE_NAME: "shop" });
    expect(short.streams).toMatchObject([
      { name: "shop", migrations: join(folder, "db/up"), database: { value: "host=h", key: "database" } },
    ]);
    const empty = await yaml("# nothing yet\n");
    expect(empty.streams).toMatchObject([{ name: "default", migrations: join(folder, "migrations") }]);
  });

  it("is found from a folder below, and its paths stay its own", async () => {
    await yaml("migrations: m");
    mkdirSync(join(folder, "deep/er"), { recursive: true });
    const config = await loadConfig({ cwd: join(folder, "deep/er"), env: {} });
    expect(config.streams[0]?.migrations).toBe(join(folder, "m"));
    const named = await loadConfig({ cwd: join(folder, "deep"), env: {}, file: "../godwit.config.yaml" });
    expect(named).toEqual(config);
  });

  it("tells every problem of its keys in one go, with its place", async () => {
    const told = await problems(
      yaml(`streams:
  Shop: { migrations: a }
  mail:
    migrations: 7
    databse: postgres://u:${SECRET}@h/d
    database: { host: h, url: "${SECRET}", port: 70000 }
    after: shared
  bank:
    database: "${SECRET}"
lock: { provider: zookeeper, redis: 6379, lease: 15 }
lock_timeout: 2s
safety: { lock_timeout: 500, max_blocking: 2s, tolerate_existing: "yes" }
history:
`),
    );
    expect(told).toEqual([
      "2:3 streams.Shop: is not a name for a stream → a name has 1 to 63 of a-z, 0-9, _ and -, and begins with a letter",
      '4:5 streams.mail.migrations: must be a text, not a number → put it in quotes: "…"',
      '5:5 streams.mail.databse: unknown key → did you mean "database"?',
      "6:5 streams.mail.database.name: is missing",
      "6:26 streams.mail.database.url: unknown key → known here: host, port, name, user, password",
      "6:42 streams.mail.database.port: must be a port: 1 to 65535",
      "7:5 streams.mail.after: must be a list, not a text",
      "8:3 streams.bank.migrations: is missing → name the folder of the stream's migrations: migrations: migrations/shop",
      '10:9 lock.provider: must be "auto" or "advisory" or "lease" or "redis"',
      '10:30 lock.redis: must be a text, not a number → put it in quotes: "…"',
      "10:43 lock.lease: is a number without a unit → write a duration: 500ms, 2s, 5min, 1h",
      '11:1 lock_timeout: unknown key → did you mean "lock_timeout", which stands under safety?',
      "12:11 safety.lock_timeout: is a number without a unit → write a duration: 500ms, 2s, 5min, 1h",
      "12:48 safety.tolerate_existing: must be true or false, not a text",
      "13:1 history: has no value → give it one, or remove the key",
    ]);
  });

  it("tells every problem of its values in one go", async () => {
    const told = await problems(
      yaml(`streams:
  a: { migrations: "\${NOPE}", after: [b], search_path: "{tenant}, public", direct_url: embedded }
  b: { migrations: b, after: [c, zz] }
  c: { migrations: c, after: [b] }
database: host=h
safety: { lock_timeout: 0s, statement_timeout: 99d }
history: { schema: pg_history }
`),
    );
    expect(told.toSorted()).toEqual(
      [
        "2:8 streams.a.migrations uses ${NOPE}, and NOPE is not set → set it in the environment (export NOPE=…), or give it a default: ${NOPE:-…}",
        "2:43 streams.a.search_path: {tenant} stands for nothing: the stream has no tenants → remove it",
        "2:76 streams.a.direct_url: the embedded PostgreSQL has no pooler to go past → remove it",
        '3:34 streams.b.after[1]: there is no stream "zz" → the streams are: a, b, c',
        "3:23 streams.b.after: the streams wait for each other in a circle: b after c after b → remove one of these names from an after",
        "5:1 database: stands beside streams and belongs to none of them → move it: streams.<name>.database",
        "6:11 safety.lock_timeout: must be above zero → a short limit keeps others working: 500ms",
        "6:29 safety.statement_timeout: is longer than PostgreSQL can count → at most 24d",
        '7:12 history.schema: "pg_history" belongs to PostgreSQL',
      ].toSorted(),
    );
  });

  it("refuses by name what this version does not do", async () => {
    const told = await problems(
      yaml(`streams:
  a: { schema: a.sql, tenants: { query: "select 1" }, migrations: a }
  b: { run: { up: [make] } }
lock: {}
safety: { refuse: [data-loss], backup: auto }
`),
    );
    expect(told.filter((one) => one.includes("is not supported by this version"))).toEqual([
      "2:8 streams.a.schema: is not supported by this version → remove it",
      "2:23 streams.a.tenants: is not supported by this version → remove it",
      "3:8 streams.b.run: is not supported by this version → remove it",
      "5:11 safety.refuse: is not supported by this version → remove it",
      "5:32 safety.backup: is not supported by this version → remove it",
    ]);
  });

  it.each([
    ["streams:\n  a: {migrations: a\n", "3:1"],
    ["a: 1\na: 2\n", "2:1"],
    [`database: *${SECRET}\n`, "1:11"],
    [`database: !${SECRET} x\n`, "1:11"],
    [`database: "${SECRET}\n`, "2:1"],
    [`a: b: ${SECRET}\n`, "1:4"],
    ["a: 1\n---\nb: 2\n", "2:1"],
    ["streams:\n\ta: 1\n", "2:1"],
    [`database: @${SECRET}\n`, "1:11"],
  ])("tells where its form is broken, not what stands there: %j", async (text, place) => {
    const [first = ""] = await problems(yaml(text));
    expect(first).toMatch(new RegExp(`^${place} `));
  });

  it("must be a mapping", async () => {
    expect(await problems(yaml("- a\n"))).toEqual(["1:1 must be a mapping of keys to values, not a list"]);
    expect(await problems(yaml("just text\n"))).toEqual([
      "1:1 must be a mapping of keys to values, not a text",
    ]);
  });

  it("ends every text with a configuration or an error of ours", async () => {
    const line = fc.constantFrom(
      "streams:",
      "  a: {migrations: x}",
      "  __proto__: {}",
      "database: ${X",
      "database: {",
      "lock:",
      "- x",
      "safety: {refuse: 3}",
      "  after: [a]",
      "&a",
      "*a",
      "? b",
      "\t",
      "\u0000",
      "<<: {a: 1}",
      "toString: 1",
      "1: 2",
      "? [a]\n: b",
      "'",
      "}",
      "|",
      "database: {host: [], name: {}}",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const outcome = await yaml(lines.join("\n")).then(
          () => "loaded",
          (error: unknown) => (isGodwitError(error) ? "refused" : error),
        );
        expect(["loaded", "refused"]).toContain(outcome);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a JSON file", () => {
  it("is read, a byte order mark and $schema included", async () => {
    const config = await json('\uFEFF{"$schema": "x", "streams": {"a": {"migrations": "m"}}}');
    expect(config.streams).toMatchObject([{ name: "a", migrations: join(folder, "m") }]);
  });

  it("tells the places of its problems", async () => {
    expect(await problems(json('{\n  "migration": "m",\n  "lock": []\n}'))).toEqual([
      '2:3 migration: unknown key → did you mean "migrations"?',
      "3:3 lock: must be a mapping of keys to values, not a list",
    ]);
    expect(await problems(json('{"database": "a", "database": "b"}'))).toEqual([
      expect.stringMatching(/^1:\d+ the key stands here a second time/),
    ]);
  });

  it.each([
    `{"database": "${SECRET}",}`,
    `{'database': "${SECRET}"}`,
    `{"database": ${SECRET}}`,
    `{"database": "${SECRET}" // no\n}`,
    `{"database": "${SECRET}`,
    "",
    "[]",
  ])("is strict, and its text stays out of errors: %j", async (text) => {
    expect(await problems(json(text))).not.toEqual([]);
  });
});

describe("a module", () => {
  it("exports the configuration by default", async () => {
    const text =
      'const name: string = "shop";\nexport default { streams: { [name]: { migrations: `sql/${name}` } } };\n';
    const config = await load("godwit.config.ts", text);
    expect(config.streams).toMatchObject([{ name: "shop", migrations: join(folder, "sql/shop") }]);
    expect(isDeeplyFrozen(config)).toBe(true);
  });

  it("is checked as strictly, with its name for a place", async () => {
    expect(
      await problems(
        load("godwit.config.mjs", "export default { migration: 'x', lock: { provider: () => 1 } };"),
      ),
    ).toEqual([
      'godwit.config.mjs: lock.provider: must be "auto" or "advisory" or "lease" or "redis"',
      'godwit.config.mjs: migration: unknown key → did you mean "migrations"?',
    ]);
  });

  it.each([
    ["export const config = {};", /the default export is not a configuration → write: import/],
    ["export default async () => ({});", /the default export is not a configuration/],
    ["export default Promise.resolve({});", /the default export is not a configuration/],
    ['\nthrow new Error("no vault");', /^2:7 godwit\.config\.js could not be loaded: Error: no vault/],
    ['import "not-installed-anywhere";\nexport default {};', /could not be loaded: .*not-installed-anywhere/],
    ["export default {", /could not be loaded/],
  ])("is refused in words: %j", async (text, expected) => {
    const [first = ""] = await problems(load("godwit.config.js", text));
    expect(first).toMatch(expected);
  });
});
