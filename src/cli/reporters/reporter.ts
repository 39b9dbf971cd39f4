import type { GodwitError } from "../../core/error.ts";
import type { GodwitEvent } from "../../core/events.ts";

/** Takes the events of a run and tells them somewhere; nothing else shows progress. */
export interface Reporter {
  event(event: GodwitEvent): void;
  /** The error that ends the command. */
  error(error: GodwitError): void;
  /** A remark of the command line itself, such as a hint at another verb's name. */
  remark(text: string): void;
  /** Called once at the end, before anything is printed after the run: stops timers, clears what is redrawn. */
  close(): void;
}
