let prepare: (() => void) | null = null;

/**
 * Lets the program that owns the process set it up before the grammar is loaded: its WebAssembly asks for other settings of the
 * engine than a library may make.
 */
export function beforeParser(action: () => void): void {
  prepare = action;
}

/** Called by what loads the grammar, right before. */
export function parserIsLoaded(): void {
  prepare?.();
}
