import { GodwitError } from "../../core/error.ts";
import type { Environment } from "./child-process.ts";
import { dataDirectoryOf, instancePlaces, readInstance } from "./instance.ts";
import { findPostmaster } from "./running.ts";
import { stopPostmaster } from "./stop-postmaster.ts";

/**
 * Stops a project's embedded server: sessions are ended, data is written out, which may take up to 30 seconds;
 * then harder. The data stays. Nothing happens when none runs.
 * @returns the pid that was stopped, or null.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when it belongs to another account or does not end.
 */
export async function stopEmbeddedServer(options: {
  /** The project's root. */
  readonly directory: string;
  readonly env?: Environment | undefined;
  /** Aborted: the server is stopped at once, without writing out (its next start recovers). */
  readonly signal?: AbortSignal | undefined;
}): Promise<{ stopped: boolean; pid: number | null }> {
  const places = await instancePlaces(options.directory, options.env ?? {});
  const instance = await readInstance(places);
  const postmaster = instance === null ? null : await findPostmaster(instance);
  if (instance === null || postmaster === null) return { stopped: false, pid: null };
  const { pid } = postmaster;
  if (await stopPostmaster(pid, options.signal)) return { stopped: true, pid };
  throw new GodwitError("EMBEDDED_UNAVAILABLE", `the embedded server with pid ${pid} cannot be stopped`, {
    detail: `it serves ${dataDirectoryOf(instance)}`,
    hint: "run as the account that started it, or as root",
  });
}
