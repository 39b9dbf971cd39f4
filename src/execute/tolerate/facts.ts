import type { Scratch } from "./scratch.ts";

/** What the catalog says of an object: by part (`column total`) and property (`type`); null: it has none. */
export type Facts = ReadonlyMap<string, ReadonlyMap<string, string | null>>;

/**
 * Reads facts by a query whose rows are `subject, property, value`, in the order in which they are to be told.
 * @param liveSchema for facts of the scratch: the schema that stands in its place; null for live objects.
 */
export async function readFacts(
  scratch: Scratch,
  sql: string,
  values: readonly unknown[],
  liveSchema: string | null,
): Promise<Facts> {
  const facts = new Map<string, Map<string, string | null>>();
  for (const { subject, property, value } of await scratch.session.rows(sql, values)) {
    const part = scratch.liveText(subject ?? "", liveSchema);
    const properties = facts.get(part) ?? new Map<string, string | null>();
    const text = value === null || value === undefined ? null : scratch.liveText(value, liveSchema);
    facts.set(part, properties.set(property ?? "", text));
  }
  return facts;
}

/** The lines in which a live object differs from what the file makes; none: they are equal. */
export function differencesOf(live: Facts, file: Facts): string[] {
  const lines: string[] = [];
  for (const [subject, properties] of file) {
    const own = live.get(subject);
    if (own === undefined) lines.push(`${subject} is missing: the file makes it ${told(properties)}`);
    else lines.push(...differing(subject, own, properties));
  }
  for (const [subject, properties] of live) {
    if (!file.has(subject)) lines.push(`${subject} is not in the file: ${told(properties)}`);
  }
  if (lines.length === 0) {
    const [has, says] = [columnsOf(live), columnsOf(file)];
    if (has !== says) lines.push(`columns in the order ${has}, the file says ${says}`);
  }
  return lines;
}

function differing(
  subject: string,
  live: ReadonlyMap<string, string | null>,
  file: ReadonlyMap<string, string | null>,
): string[] {
  const lines: string[] = [];
  for (const property of new Set([...file.keys(), ...live.keys()])) {
    const [has, says] = [live.get(property) ?? null, file.get(property) ?? null];
    if (has === says) continue;
    if (`${has ?? ""}${says ?? ""}`.includes("\n"))
      lines.push(subject === property ? `${subject}:` : `${subject}: ${property}`, ...block(has, says));
    else lines.push(`${subject}: ${has ?? `no ${property}`}, the file says ${says ?? `no ${property}`}`);
  }
  return lines;
}

/** Lines that are only in one of two texts, as a diff shows them; the same beginning and end are left out. */
function block(live: string | null, file: string | null): string[] {
  const [has, says] = [linesOf(live), linesOf(file)];
  let start = 0;
  while (start < has.length && start < says.length && has[start] === says[start]) start += 1;
  let end = 0;
  while (
    end < has.length - start &&
    end < says.length - start &&
    has[has.length - 1 - end] === says[says.length - 1 - end]
  ) {
    end += 1;
  }
  return [
    ...has.slice(start, has.length - end).map((line) => `- ${line}`),
    ...says.slice(start, says.length - end).map((line) => `+ ${line}`),
  ];
}

function linesOf(text: string | null): string[] {
  return text === null ? [] : text.split("\n");
}

function told(properties: ReadonlyMap<string, string | null>): string {
  return [...properties.values()].filter((value) => value !== null).join(" ");
}

function columnsOf(facts: Facts): string {
  const prefix = "column ";
  return [...facts.keys()]
    .filter((subject) => subject.startsWith(prefix))
    .map((subject) => subject.slice(prefix.length))
    .join(", ");
}
