import { readFile } from "node:fs/promises";
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { Document, YAMLError } from "yaml";
import { GodwitError } from "../core/error.ts";
import type { Location } from "../core/error.ts";
import { failWith } from "./problems.ts";
import type { ConfigSource, KeyPath } from "./source.ts";

/**
 * Reads a configuration in YAML (1.2, one document) or JSON. Loaded only when there is such a file.
 * No error shows the text of the file, which may hold a password: every fault is told in words of our own.
 * @throws GodwitError CONFIG_INVALID with the line and column of each syntax error.
 */
export async function readTextConfig(path: string, label: string): Promise<ConfigSource> {
  const json = path.endsWith(".json");
  const text = await readText(path, label);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
    ...(json ? { schema: "json" as const } : {}),
  });
  const locationAt = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file: label, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  failWith(
    label,
    [...document.errors, ...document.warnings, ...danglingAliases(document)].map((fault) =>
      syntaxError(fault, locationAt, json ? JSON_HINT : YAML_HINT),
    ),
  );
  if (json) refuseLooseJson(text, label);
  return {
    label,
    data: toData(document, label),
    locate: (keys) => {
      const offset = offsetOf(document, keys);
      return offset === null ? null : locationAt(offset);
    },
  };
}

async function readText(path: string, label: string): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  } catch (error) {
    throw new GodwitError("CONFIG_INVALID", `${label} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const YAML_HINT = 'texts with { } [ ] : # * & ! % @ need quotes: "…"';
const JSON_HINT =
  "JSON wants double quotes around texts, and has no comments and no comma before a closing bracket; YAML is more forgiving: godwit.config.yaml";

const SYNTAX: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  BAD_ALIAS: "a value that begins with * or & is an alias or anchor of YAML",
  BAD_DQ_ESCAPE: "an unknown escape after \\ in a double-quoted text",
  BAD_INDENT: "the indentation does not fit the lines above",
  BAD_SCALAR_START: "a value begins with a character that has a meaning in YAML",
  BLOCK_IN_FLOW: "an indented block stands inside { } or [ ]",
  DUPLICATE_KEY: "the key stands here a second time",
  MISSING_CHAR: "a character is missing here: a comma, a colon, a closing quote or bracket",
  MULTIPLE_DOCS: "a second document begins here; a configuration is one",
  TAB_AS_INDENT: "a tab is used for indentation",
  TAG_RESOLVE_FAILED: "the value has no meaning here",
  UNEXPECTED_TOKEN: "something stands here that does not belong",
};

type Fault = Pick<YAMLError, "code" | "pos">;

function danglingAliases(document: Document): readonly Fault[] {
  const found: Fault[] = [];
  visit(document, {
    Alias: (_, alias) => {
      const at = alias.range?.[0] ?? 0;
      if (alias.resolve(document) === undefined) found.push({ code: "BAD_ALIAS", pos: [at, at] });
    },
  });
  return found;
}

function syntaxError(error: Fault, locationAt: (offset: number) => Location, hint: string): GodwitError {
  return new GodwitError("CONFIG_INVALID", SYNTAX[error.code] ?? "the text is not valid here", {
    location: locationAt(error.pos[0]),
    hint,
  });
}

/** YAML reads more than JSON is; a `.json` file must please other readers of JSON too. */
function refuseLooseJson(text: string, label: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the file; only the place is taken from it.
    const place = /\(line (\d+) column (\d+)\)/.exec(messageOf(error));
    throw new GodwitError("CONFIG_INVALID", `${label} is not valid JSON`, {
      hint: JSON_HINT,
      ...(place === null
        ? {}
        : { location: { file: label, line: Number(place[1]), column: Number(place[2]) } }),
    });
  }
}

function toData(document: Document, label: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new GodwitError("CONFIG_INVALID", `${label}: its aliases (*name) repeat too much or themselves`, {
      hint: "write the values out",
      cause: error,
    });
  }
}

function offsetOf(document: Document, keys: KeyPath): number | null {
  let node: unknown = document.contents;
  let offset: number | null = startOf(node);
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      offset = startOf(node) ?? offset;
    } else {
      break;
    }
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
