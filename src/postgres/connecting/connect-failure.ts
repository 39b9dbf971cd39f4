/** Where the search for a server goes on after one attempt failed. */
export type NextStep =
  /** The next address of the same host, else the next host. */
  | "address"
  /** The next host, whatever addresses this one has left. */
  | "host"
  /** Nowhere: the answer would be the same everywhere, or asking further would be unsafe. */
  | "stop";

export interface ConnectFailureOptions {
  readonly next: NextStep;
  /** Whether trying again later may work with nothing changed. */
  readonly retryable: boolean;
  readonly hint?: string;
  /** Code of the system or the TLS library: `ECONNREFUSED`. */
  readonly code?: string;
  readonly sqlstate?: string;
  /** Whether the same address is worth another try with, or without, encryption, where sslmode leaves the choice. */
  readonly otherEncryption?: boolean;
  readonly cause?: unknown;
}

/** Why one attempt at one server failed. The message is a reason, without naming the server. */
export class ConnectFailure extends Error {
  readonly options: ConnectFailureOptions;

  constructor(reason: string, options: ConnectFailureOptions) {
    super(reason, { cause: options.cause });
    this.options = options;
  }

  /** The same failure but for some of its options. */
  but(changes: Partial<ConnectFailureOptions>): ConnectFailure {
    return new ConnectFailure(this.message, { ...this.options, ...changes });
  }
}

interface SystemReason {
  readonly reason: string;
  readonly retryable: boolean;
  readonly hint?: string;
}

const SYSTEM_REASONS: Readonly<Record<string, SystemReason>> = {
  ECONNREFUSED: {
    reason: "connection refused",
    retryable: true,
    hint: "is the server running there, and does it listen on that port?",
  },
  ECONNRESET: { reason: "the connection was reset", retryable: true },
  EPIPE: { reason: "the server closed the connection", retryable: true },
  ETIMEDOUT: { reason: "no answer in time", retryable: true },
  EHOSTUNREACH: { reason: "the host cannot be reached", retryable: true },
  EHOSTDOWN: { reason: "the host is down", retryable: true },
  ENETUNREACH: { reason: "the network cannot be reached", retryable: true },
  ENETDOWN: { reason: "the network is down", retryable: true },
  EAI_AGAIN: { reason: "the name server does not answer", retryable: true },
  // A container network knows the name of a service only once it runs.
  ENOTFOUND: { reason: "the host name does not exist", retryable: true, hint: "check the host name" },
  ENOENT: {
    reason: "there is no such socket",
    retryable: true,
    hint: "is the server running on this machine? If it runs elsewhere, name its host",
  },
  EACCES: {
    reason: "permission denied",
    retryable: false,
    hint: "the operating system does not let this user connect there",
  },
};

/**
 * Puts an error of a socket or of name lookup into words. The search goes on with the next address.
 * @throws the error itself if it is a defect of the program, which must not pass for a server's fault.
 */
export function systemFailure(error: unknown): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const code = codeOf(error);
  if (code === undefined && isDefect(error)) throw error;
  const known = code === undefined ? undefined : SYSTEM_REASONS[code];
  return new ConnectFailure(known?.reason ?? messageOf(error), {
    next: "address",
    retryable: known?.retryable ?? false,
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
    ...(code === undefined ? {} : { code }),
    cause: error,
  });
}

/** Errors that JavaScript raises for a mistake in code, as against those of the system, which have a code. */
function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError;
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a code of the operating system or of name lookup stands for something that may pass by itself. */
export function isPassingSystemError(code: string | undefined): boolean {
  return code !== undefined && SYSTEM_REASONS[code]?.retryable === true;
}
