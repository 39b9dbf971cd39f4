import type { InitResult, NewResult } from "../../api/types.ts";
import type { ViewContext } from "../verb.ts";
import { shownPath } from "./path.ts";

/** The path of a new file alone, so that `$EDITOR "$(godwit new orders)"` works. */
export function renderCreated(result: NewResult, context: ViewContext): string {
  return `${shownPath(result.path, context.cwd)}\n`;
}

/** What `init` made and what was there before. */
export function renderInit(result: InitResult, context: ViewContext): string {
  const { style } = context;
  const made = result.created.map((path) => `${style.green("+")} ${shownPath(path, context.cwd)}\n`);
  const kept = result.existed.map(
    (path) => `${style.dim(`= ${shownPath(path, context.cwd)}, left as it is`)}\n`,
  );
  return [...made, ...kept].join("");
}

/** What to type after `init`. */
export function renderNextSteps(folder: string | undefined, { style }: ViewContext): string {
  const steps = [
    ...(folder === undefined ? [] : [[`cd ${folder}`, ""]]),
    ["godwit up --embedded", "try it on a PostgreSQL of the project's own, or"],
    ["DATABASE_URL=postgres://… godwit up", "on yours"],
    ["godwit new add orders", "the next migration"],
  ];
  const width = Math.max(...steps.map(([command]) => command!.length));
  return `\nnext:\n${steps.map(([command, what]) => `  ${style.bold(command!.padEnd(width))}  ${style.dim(what)}`.trimEnd()).join("\n")}\n`;
}
