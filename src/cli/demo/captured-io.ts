import type { Io, OutputStream } from "../io.ts";

/** Streams that keep what a verb prints, in the order in which a terminal would have shown it. */
export function capturedIo(io: Io, env: Io["env"], cwd: string): { io: Io; text(): string } {
  let text = "";
  const stream: OutputStream = {
    isTTY: false,
    columns: 0,
    write: (more) => {
      text += more;
    },
  };
  return { io: { ...io, env, cwd, stdout: stream, stderr: stream }, text: () => text };
}

/** The first and last lines of a long text, and how many were left out between. */
export function abridged(
  text: string,
  first: number,
  last: number,
  leftOut: (lines: number) => string,
): string {
  const lines = text.trimEnd().split("\n");
  if (lines.length <= first + last + 1) return lines.join("\n");
  return [...lines.slice(0, first), leftOut(lines.length - first - last), ...lines.slice(-last)].join("\n");
}
