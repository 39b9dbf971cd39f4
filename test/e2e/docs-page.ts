/** One thing that a page has a reader, or the test, do; in the order of the page. */
export type Action =
  /** Commands to type, and what is printed. */
  | {
      readonly kind: "console";
      readonly line: number;
      readonly commands: readonly Command[];
      /** Exit status of the last command. */
      readonly exit: number;
      /** Run in place of the command that is shown. */
      readonly instead: string | null;
      /** Sent to the last command once a query says yes. */
      readonly signal: { readonly name: NodeJS.Signals; readonly sql: string } | null;
    }
  | { readonly kind: "file"; readonly line: number; readonly path: string; readonly text: string }
  | {
      readonly kind: "edit";
      readonly line: number;
      readonly path: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: "remove"; readonly line: number; readonly path: string }
  | {
      readonly kind: "sql";
      readonly line: number;
      readonly text: string;
      readonly until: boolean;
      /** As many it must return. */ readonly rows: number | null;
    }
  | { readonly kind: "session"; readonly line: number; readonly text: string }
  | { readonly kind: "background"; readonly line: number; readonly command: string }
  | { readonly kind: "end"; readonly line: number }
  | { readonly kind: "env"; readonly line: number; readonly name: string; readonly value: string | null }
  | { readonly kind: "new"; readonly line: number };

export interface Command {
  readonly text: string;
  /** The lines below it, as they are printed. */
  readonly output: readonly string[];
  /** Line of the page that the output begins with, from 0. */
  readonly outputLine: number;
  /** Whether the page shows what is printed: in a block of type `sh` it does not. */
  readonly shown: boolean;
}

export interface Fence {
  readonly language: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly text: string;
}

const FENCE = /^(\s*)```(\S*)\s*$/;

/**
 * Takes a page of Markdown apart. Blocks of type `console` are run and their output compared; of type `sh` only run. Comments
 * above a block say what a reader need not know:
 *
 * `docs:file PATH` (the next block is this file; with lines below it, they are), `docs:edit PATH` with `from` and `to` lines,
 * `docs:remove PATH`, `docs:exit N`, `docs:run` with commands, `docs:instead COMMAND`, `docs:sql` with SQL, or above a block of it, `docs:rows N` (above a query: so many rows),
 * `docs:until` with a query to wait for, `docs:session` with SQL of a session that stays open, `docs:background COMMAND`, `docs:end`
 * (kills it), `docs:signal NAME` with a query, `docs:env NAME=VALUE`, `docs:env -NAME`, `docs:new` (another folder and database).
 * @throws Error for a comment that is none of these.
 */
export function readPage(text: string): {
  readonly actions: readonly Action[];
  readonly fences: readonly Fence[];
} {
  const lines = text.split("\n");
  const actions: Action[] = [];
  const fences: Fence[] = [];
  let file: string | null = null;
  let sql = false;
  let rows: number | null = null;
  let next: { exit: number; instead: string | null; signal: { name: NodeJS.Signals; sql: string } | null } =
    plain();
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const note = /^<!-- docs:([a-z]+) ?(.*)$/.exec(lines[at]!);
    if (note !== null) {
      const body: string[] = [];
      let first = note[2]!;
      if (first.endsWith("-->")) first = first.slice(0, -3).trim();
      else for (at++; lines[at] !== "-->"; at++) body.push(lines[at]!);
      const rest = body.join("\n");
      switch (note[1] ?? "") {
        case "file":
          if (body.length > 0) actions.push({ kind: "file", line, path: first, text: `${rest}\n` });
          else file = first;
          break;
        case "edit":
          actions.push({ kind: "edit", line, path: first, from: body[0]!, to: body[1] ?? "" });
          break;
        case "remove":
          actions.push({ kind: "remove", line, path: first });
          break;
        case "exit":
          next.exit = Number(first);
          break;
        case "instead":
          next.instead = first;
          break;
        case "signal":
          next.signal = { name: first as NodeJS.Signals, sql: rest };
          break;
        case "run":
          for (const command of body) actions.push(hidden(line, command));
          break;
        case "sql":
          if (body.length > 0) actions.push({ kind: "sql", line, text: rest, until: false, rows: null });
          else sql = true;
          break;
        case "rows":
          sql = true;
          rows = Number(first);
          break;
        case "until":
          actions.push({ kind: "sql", line, text: rest, until: true, rows: null });
          break;
        case "session":
          actions.push({ kind: "session", line, text: rest });
          break;
        case "background":
          actions.push({ kind: "background", line, command: first });
          break;
        case "end":
          actions.push({ kind: "end", line });
          break;
        case "env": {
          const [, name = first.slice(1), value = null] = /^(\w+)=(.*)$/.exec(first) ?? [];
          actions.push({ kind: "env", line, name, value });
          break;
        }
        case "new":
          actions.push({ kind: "new", line });
          break;
        default:
          throw new Error(`line ${line}: docs:${note[1]} means nothing`);
      }
      continue;
    }
    const open = FENCE.exec(lines[at]!);
    if (open === null) continue;
    const [, indent = "", language = ""] = open;
    const from = at + 1;
    for (at++; at < lines.length && lines[at]!.trim() !== "```"; at++);
    const content = lines
      .slice(from, at)
      .map((one) => (one.startsWith(indent) ? one.slice(indent.length) : one));
    fences.push({ language, line, text: content.join("\n") });
    if (file !== null) {
      actions.push({ kind: "file", line, path: file, text: `${content.join("\n")}\n` });
      file = null;
    } else if (sql && language === "sql") {
      actions.push({ kind: "sql", line, text: content.join("\n"), until: false, rows });
      sql = false;
      rows = null;
    } else if (language === "console" || language === "sh") {
      const commands = commandsOf(content, from, language === "console", next.instead !== null);
      actions.push({ kind: "console", line, commands, ...next });
      next = plain();
    }
  }
  return { actions, fences };
}

function plain(): { exit: number; instead: string | null; signal: null } {
  return { exit: 0, instead: null, signal: null };
}

function hidden(line: number, text: string): Action {
  const commands = [{ text, output: [], outputLine: line, shown: false }];
  return { kind: "console", line, commands, ...plain() };
}

/** @param single everything below the first line is its output, whatever it looks like. */
function commandsOf(lines: readonly string[], first: number, shown: boolean, single: boolean): Command[] {
  const commands: { text: string; output: string[]; outputLine: number; shown: boolean }[] = [];
  for (const [at, line] of lines.entries()) {
    if (!shown || (line.startsWith("$ ") && !(single && at > 0))) {
      const text = line.replace(/^\$ /, "");
      if (text.trim() !== "" && !text.startsWith("#"))
        commands.push({ text, output: [], outputLine: first + at + 1, shown });
    } else commands.at(-1)?.output.push(line);
  }
  return commands;
}
