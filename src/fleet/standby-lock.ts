import type { LockState } from "../lock/state.ts";

/**
 * What the row of a lock says on a standby: neither the sessions nor the advisory locks of the primary can be seen there, so
 * that only a lease whose time is over, or a lock that was given back, is known not to be held.
 */
export function asOnStandby(state: LockState): LockState {
  if (state.holding !== "stale" || isOver(state)) return state;
  return {
    ...state,
    holding: "held",
    because: "its history says so; whether its holder lives can be seen on the primary alone",
  };
}

function isOver({ expiresAt, acquiredAt, heldSeconds }: LockState): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= Date.parse(acquiredAt) + heldSeconds * 1000;
}
