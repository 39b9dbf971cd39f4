import picocolors from "picocolors";
import type { Io, OutputStream } from "./io.ts";

export type ColourMode = "auto" | "always" | "never";

/** Functions that wrap text in the escape sequences of a colour, or return it as it is. */
export type Style = ReturnType<typeof picocolors.createColors>;

/**
 * Whether a stream gets colour. `--color` decides first; then NO_COLOR (https://no-color.org: any value but the empty one),
 * then FORCE_COLOR (`0` and `false` mean off), then whether the stream is a terminal that is not `TERM=dumb`.
 */
export function wantsColour(mode: ColourMode, stream: Pick<OutputStream, "isTTY">, env: Io["env"]): boolean {
  if (mode !== "auto") return mode === "always";
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return stream.isTTY && env.TERM !== "dumb";
}

/** Returns every text as it is. */
const PLAIN = new Proxy({} as Style, {
  get: (_, name) => (name === "isColorSupported" ? false : String),
});

/** The style for a stream. */
export function styleFor(enabled: boolean): Style {
  return enabled ? picocolors.createColors(true) : PLAIN;
}
