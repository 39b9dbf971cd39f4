import { beginHistory, type NewHistory } from "../history/upgrade.ts";
import { HISTORY_VERSION } from "../history/versions.ts";
import type { FleetIo } from "./io.ts";
import type { Participant } from "./participants.ts";

/** Of more files the parsing takes too long for a transaction to stay open. */
const MOST_FILES = 2000;

interface Beginning {
  readonly participant: Participant;
  readonly history: NewHistory;
}

/**
 * The histories of targets that have none yet, created by their servers while files are parsed and planned. They are committed
 * only when all of that went well: a run that is refused touches nothing.
 */
export class NewHistories {
  readonly #io: FleetIo;
  #begun: Beginning[];

  constructor(io: FleetIo, participants: readonly Participant[]) {
    this.#io = io;
    this.#begun = participants
      .filter(({ snapshot, findings }) => {
        const { length } = findings.comparison.pending;
        return snapshot.meta === null && length > 0 && length <= MOST_FILES;
      })
      // Targets may share a database, and with it the history's schema: the first one makes it.
      .filter(({ target }, index, all) => all.findIndex((one) => one.target.label === target.label) === index)
      .map((participant) => {
        const { session, target } = participant;
        return { participant, history: beginHistory(session, target.scope, io.run.toolVersion) };
      });
  }

  /** Waits for the servers, so that the sessions can be used for something else; what did not work is given up. */
  async made(): Promise<void> {
    const kept: Beginning[] = [];
    for (const one of this.#begun) if (await one.history.isMade()) kept.push(one);
    this.#begun = kept;
  }

  /** @throws the server's error if one could not be committed. */
  async commit(): Promise<void> {
    for (const { participant, history } of this.#begun.splice(0)) {
      await history.commit();
      this.#io.emit({
        type: "history.upgraded",
        target: participant.target.id,
        from: 0,
        to: HISTORY_VERSION,
      });
    }
  }

  /** Gives up what is not committed. */
  async giveUp(): Promise<void> {
    for (const { history } of this.#begun.splice(0)) await history.rollBack();
  }
}
