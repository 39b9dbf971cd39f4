import { setFlagsFromString } from "node:v8";

// A process that ends waits for V8's threads. One of them that compiles may itself wait for memory that only a garbage
// collection on the main thread can give it: then neither ever ends (https://github.com/nodejs/node/issues/54918, as it
// happens at exit). Measured with Node 24.21, eight processes at once on two cores: 7 of 400 hung with all their
// work done. So nothing may be compiled on another thread while the process ends.
// For the command line alone: what a library does to V8 would strike the program that uses it.

/** Keeps V8's baseline compiler off other threads, since nothing tells when it is done there. */
export function compileBaselineOnMainThread(): void {
  setFlagsFromString("--no-concurrent-sparkplug");
}

/**
 * Lets V8's optimising compilers begin nothing more, and waits until they are done with what they have begun: while it waits
 * the main thread counts as parked, so that a thread in need of memory gets it. Takes half a millisecond. To be called
 * right before the process ends.
 */
export function finishCompiling(): void {
  for (const flag of ["--no-maglev", "--no-opt", "--allow-natives-syntax"]) setFlagsFromString(flag);
  try {
    // What `%` begins is a function of the engine itself; only code that is compiled from now on may name one.
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- a constant, and there is no other way to name it
    new Function("%FinalizeOptimization()")();
  } catch {
    // An engine that does not have it: the process ends as any other does.
  }
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
