import type { Io } from "../io.ts";
import { buildProgram } from "../program.ts";
import { styleFor } from "../style.ts";
import { VERBS } from "../verbs.ts";
import { oneLine } from "../text-width.ts";
import { complete } from "./candidates.ts";
import { projectValues } from "./project-values.ts";

/** The most lines a shell is given; more help nobody. */
const MOST = 200;

/**
 * Answers the hidden verb `__complete`: candidates for the last word of a command line, one a line, to stdout.
 * Never fails: a shell has no use for errors at a press of Tab.
 * @returns the exit status.
 */
export async function answerCompletion(argv: readonly string[], io: Io): Promise<number> {
  const line = argv[0] === "--" ? argv.slice(1) : argv;
  try {
    const program = await buildProgram({
      run: () => Promise.resolve(),
      verbs: VERBS,
      style: styleFor(false),
      width: 0,
      writeHelp: () => {},
    });
    const { words, paths } = await complete(line, program, projectValues(line, io));
    const lines = words
      .slice(0, MOST)
      .map(({ value, description }) => (description === "" ? value : `${value}\t${oneLine(description)}`));
    if (paths !== null) lines.push(`:${paths}`);
    io.stdout.write(lines.map((each) => `${each}\n`).join(""));
  } catch {
    return 1;
  }
  return 0;
}
