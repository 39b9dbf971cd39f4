import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { catalogFingerprint } from "../support/catalog-fingerprint.ts";
import { createDatabase, createRole, withClient } from "../support/postgres.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/escashop/", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const NEW_PHONES = [
  "+380445550188",
  "+41446681800",
  "+41446681801",
  "+41795550123",
  "+5511955550134",
  "+842363555017",
];
const OLD_PHONES = [
  "(11) 95555-0134",
  "+41 (0)79 555 01 23",
  "+41446681801",
  "0038 044 555 01 88",
  "0236 3555 017",
  "044 668 18 00",
  "ask his sister ☎",
];

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A database of a role that owns it and is nothing more: what the example promises to be enough. */
async function shop() {
  const role = await createRole();
  const database = await createDatabase({ owner: role.name });
  onTestFinished(async () => {
    await database.drop();
    await role.drop();
  });
  const url = role.urlFor(database.url);

  const godwit = (...args: string[]): Promise<Outcome> => {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: EXAMPLE,
      env: { ...process.env, DATABASE_URL: url, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, stdout, stderr }));
    return promise;
  };
  /** Expects success; what went wrong otherwise is in the message. */
  const done = async (...args: string[]): Promise<Outcome> => {
    const outcome = await godwit(...args);
    if (outcome.status !== 0) {
      throw new Error(
        `godwit ${args.join(" ")}: exit ${outcome.status}\n${outcome.stdout}\n${outcome.stderr}`,
      );
    }
    return outcome;
  };
  const json = async <T>(...args: string[]): Promise<T> => {
    const document: { code: string; data: T } = JSON.parse((await done(...args, "--json")).stdout);
    expect(document.code).toBe("OK");
    return document.data;
  };
  const catalog = () =>
    withClient(url, (client) => catalogFingerprint(async (sql) => (await client.query(sql)).rows));
  const phones = () =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ phone: string }>(
        `SELECT phone FROM customers WHERE phone IS NOT NULL ORDER BY phone COLLATE "C"`,
      );
      return rows.map((row) => row.phone);
    });
  return { godwit, done, json, catalog, phones };
}

interface StatusData {
  readonly targets: readonly {
    readonly code: string;
    readonly counts: Readonly<Record<"pending" | "failed" | "changed" | "missing", number>>;
    readonly migrations: readonly { readonly id: string; readonly state: string }[];
  }[];
}

function idsIn(target: StatusData["targets"][number], state: string): string[] {
  return target.migrations.filter((migration) => migration.state === state).map(({ id }) => id);
}

interface GraphData {
  readonly nodes: readonly { readonly id: string; readonly requires: readonly string[] }[];
}

async function versionedIds(): Promise<string[]> {
  const names = await readdir(`${EXAMPLE}migrations`);
  return names
    .filter((name) => !name.includes(".repeatable."))
    .map((name) => name.slice(0, name.lastIndexOf(".")))
    .sort();
}

describe("examples/escashop", () => {
  it("leaves the same catalog after up, all down, and up again", async () => {
    const { godwit, done, json, catalog, phones } = await shop();
    const ids = await versionedIds();
    const empty = await catalog();

    await done("up", "--config", "godwit.config.yaml");
    const full = await catalog();
    expect(full.filter((line) => line.startsWith("relation public.store_overview kind=v"))).toHaveLength(1);
    expect(await phones()).toEqual(NEW_PHONES);

    const clean = (await json<StatusData>("status")).targets[0]!;
    expect(clean.code).toBe("OK");
    expect(clean.counts).toMatchObject({ pending: 0, failed: 0, changed: 0, missing: 0 });
    expect(idsIn(clean, "applied").toSorted()).toEqual([...ids, "store_overview"]);
    expect((await godwit("status", "--exit-code")).status).toBe(0);
    expect(await json<{ total: number }>("up")).toMatchObject({ total: 0 });

    await done("down", "--all");
    expect(await catalog()).toEqual(empty);
    const undone = (await json<StatusData>("status")).targets[0]!;
    expect(idsIn(undone, "pending").toSorted()).toEqual([...ids, "store_overview"]);

    await done("up");
    expect(await catalog()).toEqual(full);
    expect(await phones()).toEqual(NEW_PHONES);
  });

  it("gives back what a data migration replaced", async () => {
    const { done, phones } = await shop();
    await done("up");
    await done("down", "--to", "20250602090000_customer_phone_originals");
    expect(await phones()).toEqual(OLD_PHONES);
    await done("up");
    expect(await phones()).toEqual(NEW_PHONES);
  });

  it("can redo each migration", async () => {
    const { done, catalog } = await shop();
    for (const id of await versionedIds()) {
      await done("up", "--to", id);
      const before = await catalog();
      await done("redo");
      expect({ id, catalog: await catalog() }).toEqual({ id, catalog: before });
    }
  });

  it("has two branches that meet again", async () => {
    const { json } = await shop();
    const { nodes } = await json<GraphData>("graph");
    const requires = (slug: string) => nodes.find(({ id }) => id.endsWith(`_${slug}`))?.requires;
    expect(requires("checkout_discounts")).toEqual(["20250505090000_loyalty", "20250506090000_promotions"]);
    expect(requires("loyalty")).toEqual(["20250113090000_payments"]);
    expect(requires("promotions")).toEqual(["20250113090000_payments"]);
  });

  it("does what its README shows", async () => {
    const { done, catalog } = await shop();
    const readme = await readFile(`${EXAMPLE}README.md`, "utf8");
    const commands = [...readme.matchAll(/^npx godwit (.+)$/gm)].map((match) => match[1]!.split(" "));
    expect(commands.length).toBeGreaterThan(3);
    const empty = await catalog();
    for (const command of commands) await done(...command);
    expect(await catalog()).toEqual(empty);
  });
});
