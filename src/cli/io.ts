/** A stream the command line writes text to. */
export interface OutputStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width of the terminal in columns, read anew each time since a window can be resized; 0: not a terminal. */
  readonly columns: number;
}

/** Everything of the process that the command line touches, so that tests can stand in for it. */
export interface Io {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Milliseconds since the epoch; only for showing how long ago something was. */
  readonly now: () => number;
}
