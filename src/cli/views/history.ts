import type { HistoryEntry, HistoryResult } from "../../api/types.ts";
import { type Cell, type Column, renderTable } from "../table.ts";
import { oneLine } from "../text-width.ts";
import type { ViewContext } from "../verb.ts";
import { exactTime } from "./words.ts";

const COLUMNS: readonly Column[] = [
  { drop: 4, align: "right" },
  { drop: 0 },
  { drop: 1, shrink: true },
  { drop: 0, shrink: true },
  { drop: 2 },
  { drop: 3 },
];

function row(entry: HistoryEntry, context: ViewContext): Cell[] {
  const { style } = context;
  const loud = entry.level === "error" || entry.level === "critical";
  const paint = loud ? style.red : entry.level === "warning" ? style.yellow : undefined;
  const coloured = paint === undefined ? {} : { paint };
  return [
    { text: String(entry.seq), paint: style.dim },
    { text: exactTime(entry.at), paint: style.dim },
    { text: entry.id === null ? "" : oneLine(entry.id), paint: style.bold },
    { text: messageBeside(entry), ...coloured },
    { text: oneLine(entry.by ?? ""), paint: style.dim },
    // The last part of a run's id is random, its first part is the time.
    { text: entry.runId === null ? "" : `run ${entry.runId.slice(-12)}`, paint: style.dim },
  ];
}

/** The message without an id at its end, which stands beside it; with what a step came to, and the reason a person gave. */
function messageBeside({ id, message, event, details }: HistoryEntry): string {
  const bare =
    id !== null && message.endsWith(` ${id}`) ? message.slice(0, -id.length - 1).replace(/:$/, "") : message;
  const step = /^step\.(\w+)$/.exec(event)?.[1];
  const reason = reasonOf(event, details);
  return oneLine(`${bare}${step === undefined ? "" : ` ${step}`}${reason === null ? "" : `: ${reason}`}`);
}

const ACTS = /^(?:repair\.|migration\.baseline$|lock\.(?:tidied|released_by_force)$)/;

/** Of acts of people alone: for what a run does, the reason is one of Godwit's own words. */
function reasonOf(event: string, details: unknown): string | null {
  if (!ACTS.test(event)) return null;
  if (typeof details !== "object" || details === null || !("reason" in details)) return null;
  return typeof details.reason === "string" && details.reason !== "" ? details.reason : null;
}

/** The log of each target, the newest entry last; what is of interest to debuggers only with `--verbose`. @param id asked for alone. */
export function renderHistory(result: HistoryResult, context: ViewContext, id?: string): string {
  const nothing = id === undefined ? "  nothing was done here yet" : `  nothing of ${oneLine(id)}`;
  return result.targets
    .map(({ target, database, entries }) => {
      const head = `${context.style.bold(target)}${context.style.dim(`: ${database}`)}`;
      const sorted = entries
        .filter(({ level }) => context.verbose || level !== "debug")
        .toSorted((a, b) => a.seq - b.seq);
      const lines = renderTable(
        COLUMNS,
        sorted.map((entry) => row(entry, context)),
        context.width,
      );
      return `${[head, ...(lines.length === 0 ? [nothing] : lines)].join("\n")}\n`;
    })
    .join("\n");
}
