import { join } from "node:path";
import pg from "pg";
import { monotonicMs } from "../../core/clock.ts";
import { GodwitError } from "../../core/error.ts";
import { sleep } from "../../core/interrupt.ts";
import { dataDirectoryOf, EMBEDDED_DATABASE, type Instance, socketDirectoryOf } from "./instance.ts";
import { isPostmasterOf, type PostmasterFile, readPostmasterFile } from "./postmaster-file.ts";
import { type ServerParameters, serverParameters } from "./server-parameters.ts";
import { socketAnswers } from "./socket-answers.ts";
import { codeOf, messageOf } from "./system-error.ts";

const CONNECT_LIMIT_MS = 10_000;
/** A server that says it is starting recovers from a crash; one that is stopping writes out what it has. */
const TRANSITION_LIMIT_MS = 10 * 60_000;

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly parameters: ServerParameters;
  /** PostgreSQL's version as it tells it, `18.4`. */
  readonly version: string;
}

/**
 * The process that serves an instance's data now; null when there is none.
 * @returns what its postmaster.pid says, whatever state it is in.
 */
export async function findPostmaster(instance: Instance): Promise<PostmasterFile | null> {
  const file = await readPostmasterFile(dataDirectoryOf(instance));
  return file !== null && (await isPostmasterOf(file.pid, dataDirectoryOf(instance))) ? file : null;
}

/**
 * The instance's server, proven to run by logging in; null when it does not run. Waits while it starts or stops.
 * Makes the database if an earlier start was cut off before that.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when it runs and does not let us in; the signal's reason when aborted.
 */
export async function findRunning(instance: Instance, signal?: AbortSignal): Promise<RunningServer | null> {
  const started = monotonicMs();
  for (;;) {
    const file = await findPostmaster(instance);
    if (file === null) return null;
    if (file.status === "ready" && file.port !== null) {
      const parameters = serverParameters(file.port, instance.password, EMBEDDED_DATABASE);
      const answer = await logIn(parameters);
      if ("version" in answer) return { pid: file.pid, port: file.port, parameters, version: answer.version };
      if (answer.code === "3D000") await makeDatabase(parameters);
      else bearWith(answer.code, instance, file.pid, monotonicMs() - started);
    }
    if (monotonicMs() - started > TRANSITION_LIMIT_MS) {
      throw refused(instance, file.pid, `it has been ${file.status ?? "starting"} for 10 minutes`);
    }
    await sleep(20, signal);
  }
}

/**
 * Whether a server on the same data answers through its Unix socket though no process of it is to be seen:
 * it runs in another container. PostgreSQL's own check does not see that far and would let a second one in.
 */
export async function runsOutOfSight(instance: Instance): Promise<boolean> {
  const file = await readPostmasterFile(dataDirectoryOf(instance));
  if (file === null || file.port === null || process.platform === "win32") return false;
  return socketAnswers(join(socketDirectoryOf(instance), `.s.PGSQL.${file.port}`));
}

/** Returns when it is worth asking again after a refusal. */
function bearWith(code: string, instance: Instance, pid: number, elapsedMs: number): void {
  if (code === "28P01") {
    const hint = `put its password into instance.json; or start anew, without the data: godwit dev stop, then remove ${dataDirectoryOf(instance)}`;
    throw refused(instance, pid, "its password was changed", hint);
  }
  // "The database system is starting up", or shutting down: either passes.
  if (code === "57P03" || elapsedMs < CONNECT_LIMIT_MS) return;
  const why = code === "53300" ? "all its connections are taken" : code;
  throw refused(instance, pid, why);
}

/** The server's version when we got in, else the SQLSTATE or the system's error code. */
async function logIn(parameters: ServerParameters): Promise<{ version: string } | { code: string }> {
  try {
    const rows = await withSession(parameters, "SHOW server_version");
    return { version: String(rows[0]?.["server_version"]).split(" ")[0] ?? "" };
  } catch (error) {
    return { code: codeOf(error) ?? messageOf(error) };
  }
}

/** Makes the database `app`, unless it exists. */
export async function makeDatabase(parameters: ServerParameters): Promise<void> {
  try {
    await withSession({ ...parameters, dbname: "postgres" }, `CREATE DATABASE ${EMBEDDED_DATABASE}`);
  } catch (error) {
    // Made by somebody else since: either code, depending on how close the race was.
    if (!["42P04", "23505"].includes(codeOf(error) ?? "")) throw error;
  }
}

async function withSession(parameters: ServerParameters, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({
    host: parameters.host,
    port: Number(parameters.port),
    user: parameters.user,
    password: parameters.password,
    database: parameters.dbname,
    application_name: "godwit",
    ssl: false,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

function refused(
  instance: Instance,
  pid: number,
  why: string,
  hint = "stop it with: godwit dev stop",
): GodwitError {
  return new GodwitError(
    "EMBEDDED_UNAVAILABLE",
    `the embedded server of ${instance.home} runs with pid ${pid}, but cannot be used: ${why}`,
    { hint },
  );
}
