import type { ConninfoSystem } from "./system.ts";

export interface MemoryFile {
  readonly text: string;
  /** Permissions; 0600 if absent. */
  readonly mode?: number;
}

/** A machine of the tests' own: these files, the user `me` with the home folder /people/me. */
export function memorySystem(
  files: Readonly<Record<string, string | MemoryFile>> = {},
  overrides: Partial<ConninfoSystem> = {},
): ConninfoSystem {
  const fileAt = (file: string): MemoryFile | null => {
    const found = files[file];
    return found === undefined ? null : typeof found === "string" ? { text: found } : found;
  };
  return {
    platform: "linux",
    readText: (file) => fileAt(file)?.text ?? null,
    factsOf(file) {
      const isDirectory = files[`${file}/`] !== undefined;
      const found = fileAt(file);
      if (found === null && !isDirectory) return null;
      return { isFile: !isDirectory, isDirectory, mode: found?.mode ?? 0o600 };
    },
    homeDirectory: () => "/people/me",
    userName: () => "me",
    ...overrides,
  };
}
