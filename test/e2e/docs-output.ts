/** What differs from one run to the next, and what the pages call it. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<run>"],
  [/\b[0-9a-f]{64}\b/g, "<hash>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, "<time>"],
  [/\b20\d{12}_/g, "<stamp>_"],
  [/\bjust now\b|\b\d+ (?:s|min|h|days?|seconds?|minutes?) ago\b/g, "<ago>"],
  [/\brun [0-9a-f]{12}\b/g, "run <run>"],
  [/\b\d+ min \d+ s\b|\b\d+(?:\.\d+)? (?:ms|s)\b/g, "<duration>"],
  [
    /"(duration_ms|waited_ms|duration_us|execution_ms|pid|applied_at|applied_by|at)": [^\n]*?(,?)(?=\n|$)/g,
    '"$1": <any>$2',
  ],
  [/\b(localhost|127\.0\.0\.1):\d+/g, "<server>"],
  [/\bPostgreSQL \d+(?:\.\d+)+/g, "PostgreSQL <version>"],
  [/\b(backend|process|pid) \d+( on [\w.-]+)?/g, "$1 <n>"],
  [/\b(pg_(?:cancel|terminate)_backend)\(\d+\)/g, "$1(<n>)"],
  [/\(Node [\d.]+, [\w-]+\)/g, "(<node>)"],
  [/[ \t]+/g, " "],
];

/** A statement and its duration, right-aligned: where the statement is cut depends on how wide the duration is. */
const STATEMENT = /^ {4}(\S.{59}).* {2}\d[\d.]* (?:ms|s)$/;

/** A line as it is compared: without times, durations, ports, process ids, versions of the server and widths of columns. */
function normalise(line: string): string {
  const kept = STATEMENT.exec(line)?.[1] ?? line;
  return VOLATILE.reduce((text, [pattern, word]) => text.replaceAll(pattern, word), kept).trim();
}

/** A line of the page that stands for any number of lines that were left out. */
const isGap = (line: string): boolean => /^\s*⋮/.test(line);

/** Whether what was printed is what the page shows, gaps aside. */
export function matches(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return printed.length === 0;
  if (isGap(first)) return printed.some((_, at) => matches(rest, printed.slice(at))) || matches(rest, []);
  const [line, ...more] = printed;
  return line !== undefined && normalise(first) === normalise(line) && matches(rest, more);
}

/** Lines of a text, without empty ones at its ends. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  while (lines[0] === "") lines.shift();
  return lines;
}
