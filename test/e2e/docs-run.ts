import { linesOf, matches } from "./docs-output.ts";
import { readPage } from "./docs-page.ts";
import { Scratch } from "./docs-scratch.ts";

export interface PageReport {
  readonly problems: readonly string[];
  /** The page with what was printed in place of what it shows, where they differ. */
  readonly text: string;
}

/**
 * Does what a page says, in order, in a folder and a database of its own.
 * @param skip commands that a test cannot run.
 * @param afresh whether the text that comes back has new output everywhere but where lines are left out.
 */
export async function runPage(
  path: string,
  text: string,
  skip: ReadonlySet<string>,
  afresh = false,
): Promise<PageReport> {
  const { actions } = readPage(text);
  const problems: string[] = [];
  const lines: (string | readonly string[])[] = text.split("\n");
  if (actions.length === 0) return { problems, text };
  let scratch = await Scratch.make();
  try {
    for (const action of actions) {
      switch (action.kind) {
        case "console":
          for (const [at, command] of action.commands.entries()) {
            const last = at === action.commands.length - 1;
            if (action.instead === null && skip.has(command.text)) continue;
            const ran = await scratch.run(action.instead ?? command.text, last ? action.signal : null);
            const expected = last ? action.exit : 0;
            if (ran.exit !== expected) {
              problems.push(
                `${path}:${command.outputLine}: \`${command.text}\` ended with ${ran.exit ?? ran.signal}, not ${expected}:\n${ran.output}`,
              );
            }
            const printed = linesOf(ran.output);
            const same = matches(linesOf(command.output.join("\n")), printed);
            const abridged = command.output.some((line) => /^\s*⋮$/.test(line));
            if (!command.shown || (same && (!afresh || abridged))) continue;
            if (!same)
              problems.push(
                `${path}:${command.outputLine}: \`${command.text}\` printed\n${printed.join("\n")}`,
              );
            replace(
              lines,
              command.outputLine,
              command.output,
              last || printed.length === 0 ? printed : [...printed, ""],
            );
          }
          break;
        case "file":
          scratch.write(action.path, action.text);
          break;
        case "edit":
          scratch.edit(action.path, action.from, action.to);
          break;
        case "remove":
          scratch.remove(action.path);
          break;
        case "sql":
          if (action.until) await scratch.until(action.text);
          else if (action.rows === null) await scratch.sql(action.text);
          else {
            const found = await scratch.rows(action.text);
            if (found !== action.rows)
              problems.push(`${path}:${action.line}: ${found} rows, not ${action.rows}`);
          }
          break;
        case "session":
          await scratch.session(action.text);
          break;
        case "background":
          scratch.background(action.command);
          break;
        case "end":
          await scratch.end();
          break;
        case "env":
          scratch.setEnv(action.name, action.value);
          break;
        case "new":
          await scratch.close();
          scratch = await Scratch.make();
          break;
        default:
          action satisfies never;
      }
    }
  } catch (error) {
    problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await scratch.close();
  }
  return { problems, text: lines.flat().join("\n") };
}

function replace(
  lines: (string | readonly string[])[],
  from: number,
  old: readonly string[],
  printed: readonly string[],
): void {
  if (old.length === 0) {
    lines[from - 1] = [lines[from - 1] as string, ...printed];
    return;
  }
  lines[from] = [...printed];
  for (let at = 1; at < old.length; at++) lines[from + at] = [];
}
