import { setFlagsFromString } from "node:v8";

/**
 * The parser is WebAssembly that runs for a fraction of a second: optimising it costs more than it can bring, on
 * threads that the server on the same machine would use. Measured on 1 000 migrations: a third of all CPU time.
 * And a process that ends waits for what is being optimised. For the command line alone: what a library does to V8 would
 * strike the program that uses it.
 */
export function compileWasmOnce(): void {
  setFlagsFromString("--no-wasm-dynamic-tiering");
  setFlagsFromString("--no-wasm-tier-up");
}
