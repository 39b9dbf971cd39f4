import { relative } from "node:path";

/** A path as it is shortest to read and still right to type from the working folder. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  if (short === "") return ".";
  return short.startsWith("../..") || short.length > path.length ? path : short;
}
