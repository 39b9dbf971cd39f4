import { relative, isAbsolute } from "node:path";
import type { FleetIo } from "./io.ts";

/** Shows a path relative to the project's folder where it lies in it. */
export function pathShower(io: FleetIo): (path: string) => string {
  return (path) => {
    const near = relative(io.config.root, path);
    return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
  };
}
