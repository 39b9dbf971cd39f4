import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { LaunchedServer } from "../../../src/postgres/embedded/launch.ts";
import { ident, literal } from "../../../src/sql/quote.ts";
import { createAuthority, encryptKey } from "../../support/certificates.ts";
import type { Authority, KeyPair } from "../../support/certificates.ts";
import { query } from "../../support/postgres.ts";
import { startServer } from "../../support/server.ts";
import { startStandby } from "../../support/standby-server.ts";

/** A password with everything that needs quoting or encoding somewhere. */
export const AWKWARD_PASSWORD = String.raw`p@s:s/w?o#r%d 'q"\& é=`;

/** What connection cases are about: three servers, one that never answers, certificates and files. */
export interface World {
  /** Takes TLS and plain connections; who must use what is decided by the user's name. */
  readonly main: LaunchedServer;
  /** Without TLS, its sessions read-only by default. */
  readonly plain: LaunchedServer;
  readonly standby: LaunchedServer;
  /** Of the user `postgres` on all three servers. */
  readonly password: string;
  /** A port that takes connections and never answers. */
  readonly silentPort: number;
  /** The user that this process runs as, who is a role of the main server with the password `os`. */
  readonly osUser: string;
  readonly directory: string;
  readonly authority: Authority & { readonly pem: string };
  readonly otherAuthority: Authority & { readonly pem: string };
  readonly server: KeyPair;
  readonly client: KeyPair & {
    readonly encryptedKey: string;
    readonly certificatePem: string;
    readonly keyPem: string;
  };
  /** Lists of revoked certificates, with the server's on it and without. */
  readonly revoked: string;
  readonly nothingRevoked: string;
  stop(): Promise<void>;
}

const HOST_BASED_AUTHENTICATION = [
  "hostssl all plain_only all reject",
  "hostnossl all ssl_only all reject",
  "hostssl all cert_only all cert",
  "hostnossl all cert_only all reject",
  "local all trusted trust",
  "host all trusted all trust",
  "host all md5_user all md5",
  "host all clear_user all password",
  "local all all scram-sha-256",
  "host all all all scram-sha-256",
];

export async function createWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), "godwit-connections-"));
  const authority = await createAuthority(directory, "ca");
  const otherAuthority = await createAuthority(directory, "other");
  const server = await authority.issue("server", "unused.example", "DNS:localhost,DNS:*.wild.example");
  const client = await authority.issue("client", "cert_only");
  const encryptedKey = await encryptKey(client.key, "opensesame");
  const nothingRevoked = await authority.revoke("none", []);
  const revoked = await authority.revoke("all", [server.certificate]);

  const [main, plain, standby] = await Promise.all([
    startServer({
      tls: { certificate: server.certificate, key: server.key, ca: authority.certificate },
      hostBasedAuthentication: HOST_BASED_AUTHENTICATION,
    }),
    startServer({ settings: { default_transaction_read_only: "on" } }),
    startStandby(),
  ]);
  const osUser = userInfo().username;
  await prepare(main, osUser);

  const silent = createServer((socket) => socket.on("error", () => undefined).resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));

  return {
    main,
    plain,
    standby,
    osUser,
    directory,
    server,
    revoked,
    nothingRevoked,
    authority: { ...authority, pem: await read(authority.certificate) },
    otherAuthority: { ...otherAuthority, pem: await read(otherAuthority.certificate) },
    password: main.parameters.password,
    silentPort: portOf(silent),
    client: {
      ...client,
      encryptedKey,
      certificatePem: await read(client.certificate),
      keyPem: await read(client.key),
    },
    async stop() {
      silent.close();
      await Promise.all([main.stop(), plain.stop(), standby.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address.port;
}

async function read(file: string): Promise<string> {
  return await readFile(file, "utf8");
}

async function prepare(main: LaunchedServer, osUser: string): Promise<void> {
  const run = async (sql: string): Promise<void> => void (await query(main.conninfo, sql));
  const passwords = {
    alice: "secret",
    awkward: AWKWARD_PASSWORD,
    plain_only: "secret",
    ssl_only: "secret",
    clear_user: "secret",
    trusted: "secret",
    cert_only: "secret",
    [osUser]: "os",
  };
  for (const [name, password] of Object.entries(passwords)) {
    await run(`CREATE ROLE ${ident(name)} LOGIN PASSWORD ${literal(password)}`);
  }
  await run("SET password_encryption = 'md5'; CREATE ROLE md5_user LOGIN PASSWORD 'secret'");
  for (const name of ["alice", "shop", "odd name/ü", "a=b", osUser])
    await run(`CREATE DATABASE ${ident(name)}`);
}

/** Makes an empty home folder for one case. */
export async function createHome(world: World, name: string): Promise<string> {
  const home = join(world.directory, `home-${name.replaceAll(/[^a-z0-9]+/gi, "-").slice(0, 60)}`);
  await mkdir(home, { recursive: true });
  return home;
}
