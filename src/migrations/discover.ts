import { isUtf8 } from "node:buffer";
import { readdirSync, statSync, type Dirent } from "node:fs";
import { join, resolve, sep } from "node:path";
import { GodwitError } from "../core/error.ts";
import { throwIfAborted } from "../core/interrupt.ts";
import { checksumOf } from "../sql/checksum.ts";
import { faultOfId, foldId, readFileName } from "./file-name.ts";
import { FileReader } from "./file-reader.ts";
import { foreignFiles, type ForeignTool } from "./foreign-tools.ts";
import { compareIds, sortById } from "./order.ts";
import { ByteKeeper } from "./kept-bytes.ts";
import { assertNoProblems } from "./problems.ts";
import { readSubfolder } from "./subfolder.ts";
import { clashOf, encodingFault, printable, readFault } from "./file-faults.ts";
import { codeOf } from "./system-error.ts";
import type { MigrationFile, MigrationFormat, MigrationKind } from "./types.ts";

export interface DiscoverOptions {
  readonly stream: string;
  /** The folder of migrations. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  /** Told about files passed over that are known neither as migrations nor as anything that usually lies beside them. */
  readonly warn?: (message: string, hint: string) => void;
}

/**
 * Lists a folder of migrations: names are judged, files are read and hashed, nothing is parsed and no text is kept.
 * Synchronous on purpose: for ten thousand small files that takes a third of the time of asynchronous calls.
 * @returns the migrations, versioned and repeatable, ordered bytewise by id.
 * @throws GodwitError MIGRATIONS_NOT_FOUND when the folder is missing, unreadable or empty; MIGRATION_FOREIGN_FORMAT when
 *   names show that the files are another tool's; MIGRATION_MALFORMED with everything else that is wrong, in one go.
 */
export function discoverMigrations(options: DiscoverOptions): MigrationFile[] {
  const directory = resolve(options.directory);
  const discovery = new Discovery(options.stream, directory);
  let visited = 0;
  for (const entry of list(directory)) {
    if (visited++ % 256 === 0) throwIfAborted(options.signal);
    discovery.visit(entry);
  }
  return discovery.finish(options.warn);
}

function list(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = codeOf(error);
    const message =
      code === "ENOENT"
        ? `the folder of migrations ${directory} does not exist`
        : code === "ENOTDIR"
          ? `${directory} is a file, not a folder of migrations`
          : `the folder of migrations ${directory} cannot be read: ${readFault(error)}`;
    const hint =
      code === "ENOENT"
        ? "make it with `godwit init`, write a first migration with `godwit new <name>`, or set `migrations` in the configuration"
        : "set `migrations` in the configuration to a folder that can be read";
    throw new GodwitError("MIGRATIONS_NOT_FOUND", message, { hint, cause: error });
  }
}

/** One listing under way. */
class Discovery {
  readonly #stream: string;
  readonly #directory: string;
  /** The folder with a separator behind it; joining strings is a good part of the time that ten thousand files take. */
  readonly #prefix: string;
  readonly #reader = new FileReader();
  readonly #keeper = new ByteKeeper();
  readonly #files: MigrationFile[] = [];
  readonly #problems: GodwitError[] = [];
  readonly #foreign = new Map<ForeignTool, string[]>();
  readonly #unknown: string[] = [];
  /** Ids as a file system that folds case sees them, with the name that took each. */
  readonly #taken = new Map<string, string>();

  constructor(stream: string, directory: string) {
    this.#stream = stream;
    this.#directory = directory;
    this.#prefix = directory.endsWith(sep) ? directory : directory + sep;
  }

  visit(entry: Dirent): void {
    const { name } = entry;
    const type = entry.isSymbolicLink() ? this.#follow(name) : typeOf(entry);
    if (type === "folder") this.#visitFolder(name);
    else if (type === "file") this.#visitFile(name);
    else if (type === "other" && readFileName(name).is !== "ignored") {
      this.#problem(name, "is neither a file nor a folder", "remove it from the folder of migrations");
    }
  }

  #follow(name: string): EntryType | null {
    if (name.startsWith(".")) return null;
    try {
      return typeOf(statSync(join(this.#directory, name)));
    } catch (error) {
      this.#unreadable(name, error);
      return null;
    }
  }

  #visitFile(name: string): void {
    const read = readFileName(name);
    if (read.is === "migration") this.#add(name, read.id, read.kind, read.format, false);
    else if (read.is === "foreign") this.#addForeign(read.tool, name);
    else if (read.is === "problem") this.#report(name, printable(read.message), read.hint);
    else if (read.is === "unknown") this.#unknown.push(printable(name));
  }

  #visitFolder(name: string): void {
    if (name.startsWith(".") || name === "node_modules") return;
    try {
      const read = readSubfolder(this.#directory, name);
      if (read.is === "migration") this.#add(name, name, "versioned", "folder", read.hasDown);
      else if (read.is === "foreign") this.#addForeign(read.tool, read.example);
      else if (read.is === "problem") this.#report(name, printable(read.message), read.hint);
    } catch (error) {
      this.#unreadable(name, error);
    }
  }

  #add(name: string, id: string, kind: MigrationKind, format: MigrationFormat, hasDown: boolean): void {
    const fault = faultOfId(id);
    if (fault !== null) {
      this.#problem(name, fault, "rename it");
      return;
    }
    const folded = foldId(id);
    const other = this.#taken.get(folded);
    if (other !== undefined) {
      this.#report(
        name,
        `${printable(other)} and ${printable(name)} ${clashOf(idOf(other), id)}`,
        "rename or delete one of them",
      );
      return;
    }
    this.#taken.set(folded, name);
    const path = this.#prefix + name + (format === "folder" ? `${sep}up.sql` : "");
    const downPath = hasDown ? `${this.#prefix}${name}${sep}down.sql` : null;
    const bytes = this.#read(path);
    if (bytes === null) return;
    const checksum = checksumOf(bytes);
    // The bytes are valid until the next file is read.
    const single = downPath === null && format !== "code" ? bytes : null;
    const downBytes = downPath === null ? null : this.#read(downPath);
    if (downPath !== null && downBytes === null) return;
    const file: MigrationFile = {
      stream: this.#stream,
      id,
      kind,
      format,
      path,
      downPath,
      checksum: downBytes === null ? checksum : checksumOfBoth(checksum, checksumOf(downBytes)),
    };
    if (single !== null) this.#keeper.keep(file, single);
    this.#files.push(file);
  }

  /** The bytes of a text; null where there is a problem with it. */
  #read(path: string): Buffer | null {
    const name = path.slice(this.#prefix.length);
    try {
      const bytes = this.#reader.read(path);
      if (bytes === null) {
        this.#problem(name, "is larger than 256 MB", "load data with COPY or psql, outside of migrations");
        return null;
      }
      if (isUtf8(bytes)) return bytes;
      this.#problem(name, encodingFault(bytes), "save it as UTF-8");
    } catch (error) {
      this.#unreadable(name, error);
    }
    return null;
  }

  #addForeign(tool: ForeignTool, name: string): void {
    const names = this.#foreign.get(tool);
    if (names === undefined) this.#foreign.set(tool, [printable(name)]);
    else names.push(printable(name));
  }

  #unreadable(name: string, error: unknown): void {
    this.#problem(name, `cannot be read: ${readFault(error)}`, "make it readable, or remove it");
  }

  #problem(name: string, fault: string, hint: string): void {
    this.#report(name, `${printable(name)}: ${fault}`, hint);
  }

  #report(name: string, message: string, hint: string): void {
    this.#problems.push(
      new GodwitError("MIGRATION_MALFORMED", message, {
        hint,
        location: { file: join(this.#directory, name), line: 1, column: 1 },
      }),
    );
  }

  finish(warn: DiscoverOptions["warn"]): MigrationFile[] {
    this.#refusePairs();
    const foreign = [...this.#foreign].map(([tool, names]) =>
      foreignFiles(tool, this.#directory, names.toSorted(compareIds)),
    );
    const problems = this.#problems.toSorted((a, b) => compareIds(a.location!.file, b.location!.file));
    assertNoProblems([...foreign, ...problems]);
    if (this.#files.length === 0) throw this.#nothing();
    for (const name of this.#unknown.toSorted(compareIds)) {
      warn?.(
        `${join(this.#directory, name)} is not a migration and was passed over`,
        "move it out of the folder of migrations",
      );
    }
    return sortById(this.#files);
  }

  /** `x-up.sql` beside `x-down.sql` would run the undoing as a migration of its own. */
  #refusePairs(): void {
    for (const { id, format } of this.#files) {
      if (format !== "sql" || id.slice(-4).toLowerCase() !== "down") continue;
      const match = /^(.+)([-_])down$/i.exec(id);
      if (match === null || !this.#taken.has(`${match[1]}${match[2]}up`.toLowerCase())) continue;
      this.#addForeign("db-migrate", `${id}.sql`);
    }
  }

  #nothing(): GodwitError {
    const others = this.#unknown.length;
    const beside =
      others === 0
        ? ""
        : ` (${others} other file${others === 1 ? "" : "s"}: ${this.#unknown.slice(0, 3).join(", ")})`;
    return new GodwitError("MIGRATIONS_NOT_FOUND", `no migrations in ${this.#directory}${beside}`, {
      hint: "write the first one with `godwit new <name>`, or set `migrations` in the configuration",
    });
  }
}

/**
 * The checksum of a folder migration, from those of its two files.
 * @param up,down `sha256:<hex>` of up.sql and down.sql.
 */
export function checksumOfBoth(up: string, down: string): string {
  return checksumOf(`${up}\n${down}`);
}

function idOf(name: string): string {
  const read = readFileName(name);
  return read.is === "migration" ? read.id : name;
}

type EntryType = "file" | "folder" | "other";

function typeOf(entry: { isFile(): boolean; isDirectory(): boolean }): EntryType {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "folder" : "other";
}
