import { join } from "node:path";
import { createGodwit, type Godwit } from "../../src/index.ts";
import { testDatabase, type TestDatabase } from "./postgres.ts";
import { testFolder, writeFiles, type Files } from "./project.ts";

/** A stream as a test describes it. */
export interface TestStream {
  readonly files: Files;
  readonly after?: readonly string[];
  /** Which database it goes to; streams with the same word share one. */
  readonly database?: string;
}

/** A project of several streams. */
export interface StreamProject {
  readonly godwit: Godwit;
  /** By the word that the streams were given; `main` unless another one was. */
  readonly databases: ReadonlyMap<string, TestDatabase>;
  /** The database `main`. */
  readonly database: TestDatabase;
  /** Writes migrations of a stream. */
  readonly write: (stream: string, files: Files) => Promise<void>;
}

/** Makes a project of several streams with a configuration file. Only inside a test. */
export async function streamProject(streams: Readonly<Record<string, TestStream>>): Promise<StreamProject> {
  const root = await testFolder();
  const databases = new Map<string, TestDatabase>();
  const configured: Record<string, unknown> = {};
  for (const [name, { after, database = "main", files }] of Object.entries(streams)) {
    if (!databases.has(database)) databases.set(database, await testDatabase());
    configured[name] = {
      migrations: name,
      database: databases.get(database)!.url,
      ...(after === undefined ? {} : { after }),
    };
    await writeFiles(join(root, name), files);
  }
  await writeFiles(root, { "godwit.config.json": JSON.stringify({ streams: configured }) });
  return {
    godwit: await createGodwit({ cwd: root, env: {} }),
    databases,
    database: databases.get("main")!,
    write: (stream, files) => writeFiles(join(root, stream), files),
  };
}
