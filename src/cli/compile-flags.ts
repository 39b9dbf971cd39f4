import { setFlagsFromString } from "node:v8";

// For the command line alone: what a library does to V8 would strike the program that uses it.

/**
 * Keeps V8's baseline compiler off other threads. A process that ends waits for those threads, and one that compiles may
 * wait for memory that only a garbage collection on the main thread can give it: neither ever ends
 * (https://github.com/nodejs/node/issues/54918, as it happens at exit). Measured with Node 24.21, eight processes at
 * once on two cores: 7 of 400 hung with all their work done; without those threads none of 1 500, and none of 800
 * whose optimising compiler, which may do the same, was made to work as early as possible.
 */
export function compileBaselineOnMainThread(): void {
  setFlagsFromString("--no-concurrent-sparkplug");
}

/**
 * The parser is WebAssembly that runs for a fraction of a second: optimising it costs more than it can bring, on
 * threads that the server on the same machine would use. Measured on 1 000 migrations: a third of all CPU time.
 * And a process that ends waits for what is being optimised.
 */
export function compileWasmOnce(): void {
  setFlagsFromString("--no-wasm-dynamic-tiering");
  setFlagsFromString("--no-wasm-tier-up");
}
