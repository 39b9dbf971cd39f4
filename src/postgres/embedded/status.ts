import type { Environment } from "./child-process.ts";
import {
  dataDirectoryOf,
  EMBEDDED_DATABASE,
  instancePlaces,
  readInstance,
  socketDirectoryOf,
} from "./instance.ts";
import { findPostmaster } from "./running.ts";
import { type ServerParameters, serverParameters, serverUrl } from "./server-parameters.ts";
import { dataMajor } from "./startable.ts";

export interface EmbeddedStatus {
  /** `absent`: the project never had one. */
  readonly state: "absent" | "stopped" | "starting" | "running" | "stopping";
  /** `.godwit/postgres` of the project. */
  readonly directory: string;
  readonly pid: number | null;
  /** PostgreSQL's major; null while there is no data. */
  readonly major: number | null;
  /** Where the data is: in `directory`, or outside the project where the server cannot work in it. */
  readonly dataDirectory: string | null;
  /** Folder of the Unix socket, there unless its path would be too long. */
  readonly socketDirectory: string | null;
  readonly logFile: string;
  /** With the password; null unless it runs. */
  readonly parameters: ServerParameters | null;
  /** The same as a postgres:// URL. */
  readonly conninfo: string | null;
}

/**
 * What a project's embedded server does. Starts nothing and changes nothing.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when its instance.json cannot be used.
 */
export async function embeddedStatus(options: {
  /** The project's root. */
  readonly directory: string;
  readonly env?: Environment | undefined;
}): Promise<EmbeddedStatus> {
  const places = await instancePlaces(options.directory, options.env ?? {});
  const { directory, logFile } = places;
  const instance = await readInstance(places);
  const nothing = { pid: null, parameters: null, conninfo: null };
  if (instance === null) {
    const unknown = { major: null, dataDirectory: null, socketDirectory: null };
    return { state: "absent", directory, logFile, ...nothing, ...unknown };
  }
  const facts = {
    directory,
    logFile,
    major: await dataMajor(instance, undefined),
    dataDirectory: dataDirectoryOf(instance),
    socketDirectory: socketDirectoryOf(instance),
  };
  const postmaster = await findPostmaster(instance);
  if (postmaster === null) return { state: "stopped", ...facts, ...nothing };
  const { pid, port, status } = postmaster;
  if (status === "stopping") return { state: "stopping", ...facts, ...nothing, pid };
  if (status !== "ready" || port === null) return { state: "starting", ...facts, ...nothing, pid };
  const parameters = serverParameters(port, instance.password, EMBEDDED_DATABASE);
  return { state: "running", ...facts, pid, parameters, conninfo: serverUrl(parameters) };
}
