import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { databaseParameters } from "./database.ts";
import { deepFreeze } from "./freeze.ts";
import { withOverrides } from "./overrides.ts";
import type { Config, StreamConfig } from "./types.ts";

const stream = (name: string): StreamConfig => ({
  name,
  migrations: `/project/${name}`,
  after: [],
  database: { kind: "environment" },
  directUrl: { kind: "string", value: "${DIRECT}", key: `streams.${name}.direct_url` },
  searchPath: null,
});
const config = (...names: string[]): Config =>
  deepFreeze({
    root: "/project",
    file: null,
    streams: names.map(stream),
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
    env: {},
  });

describe("withOverrides", () => {
  it("changes nothing when nothing is given", () => {
    const one = config("shop");
    expect(withOverrides(one, {})).toEqual(one);
    expect(withOverrides(one, { database: undefined, embedded: false })).toEqual(one);
  });

  it("drops the direct_url of the database it replaces", () => {
    const changed = withOverrides(config("shop"), { database: "postgres://u:p${x}$${y}@h/d" });
    expect(changed.streams[0]?.directUrl).toBeNull();
    expect(databaseParameters(changed.streams[0]!.database, changed)).toEqual({
      conninfo: "postgres://u:p${x}$${y}@h/d",
    });
    expect(withOverrides(config("shop"), { embedded: true }).streams[0]).toMatchObject({
      database: { kind: "embedded" },
      directUrl: null,
    });
    const both = withOverrides(config("shop"), { database: "host=a", directUrl: "host=b" });
    expect(both.streams[0]?.directUrl).toMatchObject({ value: "host=b", key: "--direct-url" });
  });

  it("takes a folder relative to the working folder", () => {
    expect(withOverrides(config("shop"), { migrations: "sql", cwd: "/here" }).streams[0]?.migrations).toBe(
      "/here/sql",
    );
    expect(withOverrides(config("shop"), { migrations: "sql" }).streams[0]?.migrations).toBe(resolve("sql"));
  });

  it("sets timeouts and the schema of the history", () => {
    const changed = withOverrides(config("shop"), {
      lockTimeoutMs: 1000,
      statementTimeoutMs: 0,
      historySchema: "ops",
    });
    expect(changed).toMatchObject({
      safety: { lockTimeoutMs: 1000, statementTimeoutMs: 0, maxBlockingMs: 2000 },
      historySchema: "ops",
    });
    expect(Object.isFrozen(changed.streams[0])).toBe(true);
  });

  it("changes only the stream that was chosen", () => {
    const changed = withOverrides(config("shop", "mail"), { database: "host=a", stream: "mail" });
    expect(changed.streams.map((one) => one.database.kind)).toEqual(["environment", "string"]);
    const all = withOverrides(config("shop", "mail"), { embedded: true });
    expect(all.streams.map((one) => one.database.kind)).toEqual(["embedded", "embedded"]);
  });

  it.each([
    [
      { database: "host=a" },
      "USAGE",
      "--database can only be for one stream, and there are several: shop, mail",
    ],
    [
      { migrations: "x", directUrl: "host=a" },
      "USAGE",
      "--direct-url and --migrations can only be for one stream, and there are several: shop, mail",
    ],
    [{ database: "host=a", embedded: true }, "USAGE", "--embedded and --database name two databases"],
    [
      { directUrl: "host=a", embedded: true },
      "USAGE",
      "--direct-url leads past a pooler, and --embedded has none",
    ],
    [{ database: " ", stream: "shop" }, "USAGE", "--database is empty"],
    [{ lockTimeoutMs: 0 }, "USAGE", "--lock-timeout must be above zero and at most 24d"],
    [{ statementTimeoutMs: Number.NaN }, "USAGE", "--statement-timeout must be 0 or more and at most 24d"],
    [{ historySchema: "pg_x" }, "USAGE", 'the schema of the history: "pg_x" belongs to PostgreSQL'],
    [{ stream: "shopp" }, "STREAM_UNKNOWN", 'no stream is called "shopp"'],
  ])("refuses %j", (overrides, code, message) => {
    expect(() => withOverrides(config("shop", "mail"), overrides)).toThrow(
      expect.objectContaining({ code, message }),
    );
  });
});
