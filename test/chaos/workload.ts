/**
 * An application under load, as a process of its own: sessions that read and write at a fixed rate, and some that hold transactions
 * open for a while. Usage: workload.ts <url> <seed>. Says `ready` once all of them work; on SIGTERM it stops and writes
 * every query as `[at, waitMs, lateMs, kind]` to stdout, as JSON.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { pick, randomOf, type Random } from "./random.ts";

/** Milliseconds since the epoch; from being sent to its answer; from when it should have been sent to its answer; what it did. */
export type Sample = readonly [
  at: number,
  waitMs: number,
  lateMs: number,
  kind: "read" | "write" | "transaction",
];

const SHORT_SESSIONS = 8;
const EVERY_MS = 40;
const LONG_SESSIONS = 3;
const REPORT_MS = 3000;
/** Rows that a session has for itself: it waits for nobody of its own kind. */
const ROWS_EACH = 500;

const samples: Sample[] = [];
const state = { stopping: false };

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: "the application" });
  await client.connect();
  return client;
}

async function timed(kind: Sample[3], due: number, work: () => Promise<unknown>): Promise<void> {
  const sent = performance.now();
  await work();
  const done = performance.now();
  samples.push([performance.timeOrigin + sent, done - sent, done - due, kind]);
}

async function short(client: Client, first: number, next: Random): Promise<void> {
  for (let due = performance.now() + next() * EVERY_MS; !state.stopping; due += EVERY_MS) {
    await delay(Math.max(0, due - performance.now()));
    const row = first + Math.floor(next() * ROWS_EACH);
    if (next() < 0.5)
      await timed("read", due, () => client.query("SELECT n FROM orders WHERE id = $1", [row]));
    else await timed("write", due, () => client.query("UPDATE orders SET n = n + 1 WHERE id = $1", [row]));
  }
}

async function long(client: Client, first: number, next: Random): Promise<void> {
  const query = (sql: string, values?: unknown[]): Promise<void> =>
    timed("transaction", performance.now(), () => client.query(sql, values));
  while (!state.stopping) {
    const row = first + Math.floor(next() * ROWS_EACH);
    await query("BEGIN");
    await query("UPDATE orders SET n = n + 1 WHERE id = $1", [row]);
    await delay(pick(next, [200, 300, 400, 500]));
    await query("SELECT n FROM orders WHERE id = $1", [row]);
    await query("COMMIT");
    await delay(100 + next() * 200);
  }
}

/** Somebody who reads a report: nothing may change the table under it, and what waits for that makes all others wait behind it. */
async function report(client: Client): Promise<void> {
  const query = (sql: string): Promise<void> =>
    timed("transaction", performance.now(), () => client.query(sql));
  while (!state.stopping) {
    await query("BEGIN");
    await query("SELECT count(*) FROM orders");
    await delay(REPORT_MS);
    await query("COMMIT");
    await delay(REPORT_MS / 2);
  }
}

const [url = "", seed = "0"] = process.argv.slice(2);
const next = randomOf(Number(seed));
const clients = await Promise.all(
  Array.from({ length: SHORT_SESSIONS + LONG_SESSIONS + 1 }, () => connect(url)),
);
const work = clients.map((client, index) => {
  if (index === SHORT_SESSIONS + LONG_SESSIONS) return report(client);
  const own = randomOf(Math.floor(next() * 2 ** 32));
  return (index < SHORT_SESSIONS ? short : long)(client, 1 + index * ROWS_EACH, own);
});
process.once("SIGTERM", () => {
  state.stopping = true;
});
// What is compiled and planned for the first time takes longer than anything later.
await delay(500);
samples.length = 0;
process.stdout.write("ready\n");
await Promise.all(work);
await Promise.all(clients.map((client) => client.end()));
process.stdout.write(`${JSON.stringify(samples)}\n`);
