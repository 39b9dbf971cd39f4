import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Io } from "../io.ts";
import type { Candidate, DynamicValues } from "./candidates.ts";

interface Stream {
  readonly name: string;
  readonly migrations: string;
}

function valueOf(line: readonly string[], flag: string): string | undefined {
  const at = line.indexOf(flag);
  if (at !== -1 && at < line.length - 1) return line[at + 1];
  return line.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1);
}

/**
 * Streams and ids of the project that a half-typed command line is about, from its configuration and file names alone:
 * no database is asked and no migration is read. What cannot be read offers nothing.
 */
export function projectValues(line: readonly string[], io: Pick<Io, "cwd" | "env">): DynamicValues {
  const streams = async (): Promise<readonly Stream[]> => {
    const folder = valueOf(line, "--migrations");
    if (folder !== undefined) return [{ name: "default", migrations: resolve(io.cwd, folder) }];
    const { loadConfig } = await import("../../config/load.ts");
    try {
      return (await loadConfig({ cwd: io.cwd, env: io.env, file: valueOf(line, "--config") })).streams;
    } catch {
      return [];
    }
  };
  const ids = async (qualified: boolean): Promise<Candidate[]> => {
    const all = await streams();
    const only = valueOf(line, "--stream") ?? valueOf(line, "--target");
    const chosen = only === undefined || qualified ? all : all.filter(({ name }) => name === only);
    const found: Candidate[] = [];
    for (const stream of chosen) {
      for (const id of await migrationIds(stream.migrations)) {
        found.push({
          value: qualified && all.length > 1 ? `${stream.name}/${id}` : id,
          description: all.length > 1 ? stream.name : "",
        });
      }
    }
    // The newest first: that is what is typed most.
    return found.toReversed();
  };
  return {
    migrations: () => ids(false),
    qualifiedMigrations: () => ids(true),
    streams: async () => (await streams()).map(({ name }) => ({ value: name, description: "" })),
  };
}

async function migrationIds(folder: string): Promise<string[]> {
  const { readFileName } = await import("../../migrations/file-name.ts");
  try {
    return readdirSync(folder)
      .flatMap((name) => {
        const read = readFileName(name);
        if (read.is === "migration") return read.kind === "versioned" ? [read.id] : [];
        return statSync(join(folder, name, "up.sql"), { throwIfNoEntry: false })?.isFile() === true
          ? [name]
          : [];
      })
      .sort();
  } catch {
    return [];
  }
}
