import { pathToFileURL } from "node:url";
import { GodwitError } from "../core/error.ts";
import type { Location } from "../core/error.ts";
import type { ConfigSource } from "./source.ts";

/**
 * Reads a configuration written in TypeScript or JavaScript: the default export of the module, imported by Node itself.
 * Node runs a module once per process; later reads give the same export.
 * @throws GodwitError CONFIG_INVALID when the module cannot be loaded, throws, or exports no configuration.
 */
export async function readModuleConfig(path: string, label: string): Promise<ConfigSource> {
  const url = pathToFileURL(path).href;
  let module: { readonly default?: unknown };
  try {
    module = await import(/* @vite-ignore */ url);
  } catch (error) {
    throw moduleError(error, path, url, label);
  }
  const data = module.default;
  if (typeof data !== "object" || data === null || Array.isArray(data) || data instanceof Promise) {
    throw new GodwitError("CONFIG_INVALID", `${label}: the default export is not a configuration`, {
      hint: 'write: import { defineConfig } from "godwit"; export default defineConfig({ … });',
    });
  }
  return { label, data, locate: () => null };
}

function moduleError(error: unknown, path: string, url: string, label: string): GodwitError {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const location = error instanceof Error ? locationIn(error, path, url, label) : null;
  return new GodwitError("CONFIG_INVALID", `${label} could not be loaded: ${reason}`, {
    cause: error,
    ...(location === null ? {} : { location }),
    ...hintFor(error),
  });
}

/** The first frame of the stack that is in the file itself; a syntax error says its place in the first line. */
function locationIn(error: Error, path: string, url: string, label: string): Location | null {
  for (const line of (error.stack ?? "").split("\n")) {
    const at = Math.max(line.indexOf(url), line.indexOf(path));
    if (at === -1) continue;
    const place = /:(\d+)(?::(\d+))?\)?$/.exec(line.trimEnd());
    if (place !== null) return { file: label, line: Number(place[1]), column: Number(place[2] ?? 1) };
  }
  return null;
}

function hintFor(error: unknown): { hint?: string } {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return {
      hint: "Node runs TypeScript from 22.18 on without a flag; update it, or write godwit.config.yaml",
    };
  }
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
    return { hint: "Node only strips types: no enum, namespace or parameter property" };
  }
  if (code === "ERR_MODULE_NOT_FOUND" && error instanceof Error && error.message.includes("package")) {
    return { hint: "install what the file imports: npm install" };
  }
  return {};
}
