import type { GodwitError } from "../../core/error.ts";
import { closest } from "../../core/similar.ts";
import { KEYWORDS } from "./keywords.ts";
import { invalid, unsupported } from "./setting.ts";

const POOL = "Godwit opens the few connections it needs by itself";

/** Parameters of other drivers and frameworks that people carry over in their URLs, and what to write instead. */
const FOREIGN: Readonly<Record<string, string>> = {
  schema: "leave it out and set search_path in the configuration, or write options=-csearch_path%3D<schema>",
  currentschema:
    "leave it out and set search_path in the configuration, or write options=-csearch_path%3D<schema>",
  search_path: "write options=-csearch_path%3D<schema>",
  pgbouncer: "leave it out: Godwit detects poolers; give direct_url for what needs a session of its own",
  workaround: "leave it out: Godwit detects poolers; give direct_url for what needs a session of its own",
  supa: "leave it out: Godwit detects poolers; give direct_url for what needs a session of its own",
  connection_limit: `leave it out: ${POOL}`,
  pool_timeout: `leave it out: ${POOL}`,
  pool_size: `leave it out: ${POOL}`,
  max: `leave it out: ${POOL}`,
  pool_max_conns: `leave it out: ${POOL}`,
  uselibpqcompat: "leave it out: sslmode means here what it means to libpq",
  ssl: "write sslmode=require, or sslmode=verify-full to check the server's certificate as well",
  sslaccept: "write sslmode=require to accept any certificate, sslmode=verify-full to check it",
  sslidentity: "write sslcert= and sslkey= with PEM files",
  sslfactory: "write sslmode=require to accept any certificate, sslmode=verify-full to check it",
  statement_cache_size: "leave it out: Godwit does not cache statements",
  preparethreshold: "leave it out: Godwit does not cache statements",
  statement_timeout: "use --statement-timeout or safety.statement_timeout in the configuration",
  lock_timeout: "use --lock-timeout or safety.lock_timeout in the configuration",
  connecttimeout: "write connect_timeout=<seconds>",
  connectiontimeoutmillis: "write connect_timeout=<seconds>",
  logintimeout: "write connect_timeout=<seconds>",
  sockettimeout: "use --timeout to bound the whole command",
  socket_timeout: "use --timeout to bound the whole command",
  applicationname: "write application_name=<name>",
  targetservertype: "write target_session_attrs=primary (or read-write, standby, any)",
  loadbalancehosts: "write load_balance_hosts=random",
  encoding: "leave it out: Godwit uses UTF8",
  charset: "leave it out: Godwit uses UTF8",
  database: "write dbname=<name>",
  db: "write dbname=<name>",
  username: "write user=<name>",
  pass: "write password=<password>",
  hostname: "write host=<name>",
  authtype: "leave it out: libpq dropped it in PostgreSQL 14",
  tty: "leave it out: libpq dropped it in PostgreSQL 14",
  servicefile: "set the environment variable PGSERVICEFILE instead",
};

/**
 * The error for a keyword that is not one of libpq's: with the remedy for what other tools understand by it,
 * else with the keyword that was probably meant.
 * @param name is not repeated in the message unless it looks like a keyword: it may be a piece of a password.
 */
export function unknownKeyword(name: string, where: string): GodwitError {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,40}$/.test(name)) {
    return invalid(
      `${where} has a keyword that libpq does not know`,
      "quote values that have spaces: password='two words'; in a URL write a space as %20 and & as %26",
    );
  }
  const remedy = FOREIGN[name.toLowerCase()];
  if (remedy !== undefined) {
    return unsupported(`${where} has "${name}", which is not a keyword of libpq`, remedy);
  }
  const near = closest(name, Object.keys(KEYWORDS));
  return invalid(
    `${where} has "${name}", which is not a keyword of libpq`,
    near === null ? "PostgreSQL manual 32.1.2 lists the keywords" : `did you mean ${near}?`,
  );
}
