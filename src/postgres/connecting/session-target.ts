import type pg from "pg";
import type { TargetSessionAttrs } from "../types.ts";
import { ConnectFailure, messageOf } from "./connect-failure.ts";

/**
 * Checks `target_session_attrs` by asking the server (manual 32.1.2), which works for every version.
 * @throws ConnectFailure when the server is not of the wanted kind; the search goes on with the next host.
 */
export async function checkTarget(client: pg.Client, wanted: TargetSessionAttrs): Promise<void> {
  switch (wanted) {
    case "any":
    case "prefer-standby":
      return;
    case "read-write":
      if (await isReadOnly(client)) throw mismatch("the session is read-only, and read-write is wanted");
      return;
    case "read-only":
      if (!(await isReadOnly(client)))
        throw mismatch("the session is not read-only, and read-only is wanted");
      return;
    case "primary":
      if (await isStandby(client)) throw mismatch("the server is a standby, and the primary is wanted");
      return;
    case "standby":
      if (!(await isStandby(client))) throw mismatch("the server is not a standby, and a standby is wanted");
  }
}

async function isReadOnly(client: pg.Client): Promise<boolean> {
  return (await ask(client, "SHOW transaction_read_only")) === "on";
}

async function isStandby(client: pg.Client): Promise<boolean> {
  return (await ask(client, "SELECT pg_catalog.pg_is_in_recovery()")) === "t";
}

async function ask(client: pg.Client, question: string): Promise<unknown> {
  try {
    const { rows } = await client.query<unknown[]>({ text: question, rowMode: "array" });
    return rows[0]?.[0];
  } catch (error) {
    throw mismatch(`${question} failed: ${messageOf(error)}`);
  }
}

function mismatch(reason: string): ConnectFailure {
  return new ConnectFailure(reason, {
    next: "host",
    retryable: true,
    hint: "target_session_attrs says which kind of server to use; list all servers in host=",
  });
}
