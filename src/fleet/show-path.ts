import { isAbsolute, relative, sep } from "node:path";
import type { FleetIo } from "./io.ts";

/** Shows a path relative to the project's folder where it lies in it. */
export function pathShower(io: FleetIo): (path: string) => string {
  const inside = `${io.config.root}${sep}`;
  return (path) => {
    if (path.startsWith(inside)) return path.slice(inside.length);
    const near = relative(io.config.root, path);
    return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
  };
}
