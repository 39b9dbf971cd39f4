import { resolve } from "node:path";
import { abortReason } from "../../core/interrupt.ts";
import { GodwitError } from "../../core/error.ts";
import type { ViewContext } from "../verb.ts";
import { shownPath } from "./path.ts";

function indent(text: string, by: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? line : by + line))
    .join("\n");
}

/** `  hint: …` with further lines under the first. */
function labelled(label: string, text: string, paint: (text: string) => string): string {
  const [first, ...more] = text.trimEnd().split("\n");
  const rest = more.map((line) => `\n${" ".repeat(label.length + 4)}${line}`).join("");
  return `  ${paint(`${label}:`)} ${first}${rest}\n`;
}

function causes(error: unknown): string {
  const seen: string[] = [];
  for (let at: unknown = error; at instanceof Error && seen.length < 5; at = at.cause) {
    seen.push(at.stack ?? String(at));
  }
  return seen.join("\ncaused by: ");
}

/**
 * An error as a person reads it: code and message, where, the source with a caret, why, and what to do; with a trailing newline.
 * The stack appears with `--verbose` alone.
 */
export function renderError(error: GodwitError, context: ViewContext): string {
  const { style } = context;
  const head =
    error.code === "INTERRUPTED" || error.code === "TERMINATED"
      ? `${style.yellow(error.message)}\n`
      : `${style.bold(style.red(`error[${error.code}]:`))} ${error.message}\n`;
  let out = head;
  if (error.location !== undefined) {
    const { file, line, column, excerpt } = error.location;
    out += `  ${style.blue("-->")} ${shownPath(resolve(context.cwd, file), context.cwd)}:${line}:${column}\n`;
    if (excerpt !== undefined) out += `${indent(excerpt, "  ")}\n`;
  }
  if (error.detail !== undefined) out += labelled("detail", error.detail, style.bold);
  if (error.sqlstate !== undefined) out += `  ${style.bold("SQLSTATE:")} ${error.sqlstate}\n`;
  for (const problem of error.problems) out += `\n${indent(renderError(problem, context), "  ")}`;
  if (error.problems.length > 0) out += "\n";
  if (error.hint !== undefined) out += labelled("hint", error.hint, style.cyan);
  if (error.code === "INTERNAL") {
    out += context.verbose
      ? `${indent(causes(error), "  ")}\n`
      : labelled("hint", "run it again with --verbose and report what it prints", style.cyan);
  } else if (context.verbose && error.cause instanceof Error) {
    out += style.dim(`${indent(causes(error.cause), "  ")}\n`);
  }
  return out;
}

/** Any thrown value as a GodwitError: what is not one of ours is a defect of ours. */
export function asGodwitError(thrown: unknown, signal?: AbortSignal): GodwitError {
  if (thrown instanceof GodwitError) return thrown;
  if (signal?.aborted === true && thrown instanceof Error && thrown.name === "AbortError") {
    return abortReason(signal);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new GodwitError("INTERNAL", message === "" ? "something failed without saying what" : message, {
    cause: thrown,
  });
}
