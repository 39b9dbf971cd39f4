/** The bench cannot go on, for a reason that its user can do something about; shown without a stack trace. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}

/** A peer cannot be had on this machine: it is left out and the report says why. */
export class PeerUnavailable extends Error {
  override readonly name = "PeerUnavailable";
}
