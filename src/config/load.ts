import { resolve } from "node:path";
import { throwIfAborted } from "../core/interrupt.ts";
import {
  DEFAULT_HISTORY_SCHEMA,
  DEFAULT_LOCK,
  DEFAULT_MIGRATIONS,
  DEFAULT_SAFETY,
  implicitStreamName,
} from "./defaults.ts";
import { discoverConfigFile, namedConfigFile } from "./discover.ts";
import { deepFreeze } from "./freeze.ts";
import { failWith } from "./problems.ts";
import { resolveConfig } from "./resolve.ts";
import { displayPath } from "./source.ts";
import type { ConfigSource } from "./source.ts";
import type { Config } from "./types.ts";

export interface LoadConfigOptions {
  /** Absolute folder to look from, upward to the root of the file system. */
  readonly cwd: string;
  /** What `${VAR}` and the connection variables are read from; kept with the configuration. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file of `--config`, relative to `cwd`; nothing is looked for then. */
  readonly file?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds, reads and checks the configuration. Without a file there is one stream, called `SERVICE_NAME` or `default`,
 * of the folder `migrations` in `cwd` on the database of the environment.
 * Relative paths of a file resolve against its folder. Connection texts keep their `${VAR}` until they are used.
 * @returns plain data, frozen through and through.
 * @throws GodwitError CONFIG_NOT_FOUND for a named file that is not there; CONFIG_INVALID, with every problem found
 * in `problems` when there are several; VARIABLE_UNSET for a variable that every command needs.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  throwIfAborted(options.signal);
  const env = { ...options.env };
  const path =
    options.file === undefined ? discoverConfigFile(options.cwd) : namedConfigFile(options.file, options.cwd);
  if (path === null) return deepFreeze(withoutFile(resolve(options.cwd), env));

  const source = await readSource(path, displayPath(path, options.cwd));
  throwIfAborted(options.signal);
  const { validate } = await import("./validate.ts");
  const checked = validate(source);
  failWith(source.label, checked.problems);
  const resolved = resolveConfig(checked.file!, source, path, env);
  failWith(source.label, resolved.problems);
  return deepFreeze(resolved.config!);
}

async function readSource(path: string, label: string): Promise<ConfigSource> {
  if (/\.(?:ts|js|mjs)$/.test(path)) {
    const { readModuleConfig } = await import("./read-module.ts");
    return readModuleConfig(path, label);
  }
  const { readTextConfig } = await import("./read-text.ts");
  return readTextConfig(path, label);
}

function withoutFile(root: string, env: Config["env"]): Config {
  return {
    root,
    file: null,
    streams: [
      {
        name: implicitStreamName(env),
        migrations: resolve(root, DEFAULT_MIGRATIONS),
        after: [],
        database: { kind: "environment" },
        directUrl: null,
        searchPath: null,
      },
    ],
    historySchema: DEFAULT_HISTORY_SCHEMA,
    lock: DEFAULT_LOCK,
    safety: DEFAULT_SAFETY,
    env,
  };
}
