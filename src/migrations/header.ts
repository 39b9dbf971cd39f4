import { open, readFile, type FileHandle } from "node:fs/promises";
import { lineComments } from "../sql/lexer.ts";
import { describeId } from "./description.ts";
import { applyFileDirective, FILE_DIRECTIVES, noSettings, readDirectives } from "./directives.ts";
import { readText } from "./read-text.ts";
import { readRequirement } from "./requirement.ts";
import type { MigrationFile, Requirement } from "./types.ts";

/** What the top of a file says, read without the parser. */
export interface MigrationHeader {
  /** null: names nothing, so requires every earlier id of its stream. */
  readonly requires: readonly Requirement[] | null;
  readonly description: string;
}

/** Directives stand before the first statement, so the beginning of a file nearly always has them all. */
const BEGINNING_BYTES = 16 * 1024;

/**
 * Reads what a migration requires and its description, for drawing a graph of files that may all be applied. SQL is not parsed
 * and code is not run: an export `requires` is understood where it is a plain list of texts. What is wrong with the file
 * is not complained about here.
 * @throws GodwitError MIGRATION_MALFORMED when the file cannot be read.
 */
export async function headerOf(file: MigrationFile): Promise<MigrationHeader> {
  if (file.format === "code") return codeHeader(file, await readAll(file.path));
  const text = await readBeginning(file.path);
  const end = endOfHeader(text);
  return sqlHeader(file, end === null ? await readAll(file.path) : text.slice(0, end));
}

function sqlHeader(file: MigrationFile, text: string): MigrationHeader {
  const settings = noSettings();
  const header = text.slice(0, endOfHeader(text) ?? text.length);
  for (const directive of readDirectives(lineComments(header)).directives) {
    if (!FILE_DIRECTIVES.includes(directive.name)) continue;
    applyFileDirective(settings, directive, { stream: file.stream, file: file.path, text });
  }
  return { requires: settings.requires, description: settings.description ?? describeId(file.id) };
}

const CODE_REQUIRES = /^export\s+const\s+requires\b[^=]*=\s*(?:\[([^\]]*)\]|(["'][^"'\n]*["']))/m;
const CODE_DESCRIPTION = /^export\s+const\s+description\b[^=]*=\s*(["'`])(.*?)\1/m;

function codeHeader(file: MigrationFile, text: string): MigrationHeader {
  const match = CODE_REQUIRES.exec(text);
  const ids = [...(match?.[1] ?? match?.[2] ?? "").matchAll(/["'`]([^"'`\n]+)["'`]/g)].map(([, id]) => id!);
  const requires = ids.flatMap((id) => readRequirement(id, file.stream) ?? []);
  return {
    requires: requires.length === 0 ? null : requires,
    description: CODE_DESCRIPTION.exec(text)?.[2] ?? describeId(file.id),
  };
}

/** The whole text as it is; only a file that cannot be read at all is an error. */
async function readAll(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => readText(path));
}

async function readBeginning(path: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const { buffer, bytesRead } = await handle.read(
      Buffer.allocUnsafe(BEGINNING_BYTES),
      0,
      BEGINNING_BYTES,
      0,
    );
    return buffer.toString("utf8", 0, bytesRead).replace(/^\u{FEFF}/u, "");
  } catch {
    // What is wrong with it is said by reading it whole.
    return "";
  } finally {
    await handle?.close();
  }
}

/**
 * The offset of the first character that is neither white space nor comment, where statements begin.
 * @returns null when the text has nothing but these.
 */
export function endOfHeader(text: string): number | null {
  let index = 0;
  for (;;) {
    while (index < text.length && /\s/.test(text[index]!)) index++;
    if (index >= text.length) return null;
    if (text.startsWith("--", index)) {
      while (index < text.length && text[index] !== "\n" && text[index] !== "\r") index++;
    } else if (text.startsWith("/*", index)) {
      index = endOfBlockComment(text, index);
    } else {
      return index;
    }
  }
}

/** Block comments nest in PostgreSQL (manual 4.1.5). */
function endOfBlockComment(text: string, start: number): number {
  let depth = 0;
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return text.length;
}
