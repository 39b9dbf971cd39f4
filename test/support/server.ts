import type { LaunchedServer } from "../../src/postgres/embedded/launch.ts";
import { DEFAULT_MAJOR, type EmbeddedMajor, isEmbeddedMajor } from "../../src/postgres/embedded/packages.ts";
import { startTemporaryServer } from "../../src/postgres/embedded/temporary-server.ts";
import { copyTemplate } from "./template.ts";

export type { LaunchedServer } from "../../src/postgres/embedded/launch.ts";

export interface StartServerOptions {
  /** Left out: the major this run tests with. */
  readonly major?: EmbeddedMajor;
  /** Default `scram`. */
  readonly auth?: "trust" | "scram";
  /** Lines of pg_hba.conf in place of those for `auth`. */
  readonly hostBasedAuthentication?: readonly string[];
  /** PEM files by path. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca?: string };
  /** Settings given with -c; fsync, synchronous_commit and full_page_writes are off unless named here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** null: TCP alone. Left out: a folder of the server's own; it says which. */
  readonly socketDirectory?: string | null;
}

/** The major that GODWIT_TEST_PG asks for, 18 without. */
export function testMajor(): EmbeddedMajor {
  const text = process.env["GODWIT_TEST_PG"];
  if (text === undefined || text === "") return DEFAULT_MAJOR;
  const major = Number(text);
  if (!isEmbeddedMajor(major)) throw new Error(`GODWIT_TEST_PG is ${text}; it must be 14, 15, 16, 17 or 18`);
  return major;
}

/**
 * Starts a server of a test's own in about 0.2 s, where the shared one will not do (settings, TLS, a restart).
 * The caller stops it; `stop()` removes its files too.
 */
export async function startServer(options: StartServerOptions = {}): Promise<LaunchedServer> {
  const { auth = "scram", hostBasedAuthentication, ...rest } = options;
  const trusting = ["local all all trust", "host all all 127.0.0.1/32 trust"];
  const lines = hostBasedAuthentication ?? (auth === "trust" ? trusting : undefined);
  return startTemporaryServer({
    ...rest,
    major: options.major ?? testMajor(),
    ...(lines === undefined ? {} : { hostBasedAuthentication: lines }),
    env: process.env,
    initialise: copyTemplate,
  });
}
