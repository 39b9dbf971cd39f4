import { readLockWaits, type LockParty, type LockWait, type LockWaits } from "../postgres/lock-waits.ts";
import { waitOrder, type WaitPlace } from "../core/wait-order.ts";
import type { FleetIo } from "./io.ts";
import { isGodwits, remedyFor, remedyForPrepared } from "./lock-remedy.ts";
import type { LockBlockersResult, LockTreeNode } from "./lock-results.ts";
import type { VerbOptions } from "./options.ts";
import { shownQuery } from "./shown-query.ts";
import { selectStreams } from "./streams.ts";
import { resolveTarget, withTargetSession } from "./target.ts";

/**
 * Who waits for whom in the databases of the selected targets now, Godwit's or not, and what would end those that block.
 * Reads only; a role without the right to see other sessions sees who and for what, not what they run.
 * @throws GodwitError DATABASE_UNREACHABLE, SERVER_UNSUPPORTED and of the configuration.
 */
export async function lockBlockers(io: FleetIo, options: VerbOptions): Promise<LockBlockersResult> {
  const databases = new Map<string, { targets: string[]; tree: LockTreeNode[] }>();
  for (const stream of selectStreams(io.config, options.streams)) {
    const target = await resolveTarget(io, stream);
    const seen = databases.get(target.label);
    if (seen !== undefined) {
      seen.targets.push(target.id);
      continue;
    }
    const tree = await withTargetSession(io, target, async (session) =>
      lockTree(await readLockWaits(session), session.settings.database),
    );
    databases.set(target.label, { targets: [target.id], tree });
  }
  return { databases: [...databases].map(([database, found]) => ({ database, ...found })) };
}

/** The tree of what was read, roots first; brothers by how long they have waited. */
export function lockTree(read: LockWaits, database: string): LockTreeNode[] {
  const waits = Map.groupBy(read.waits, ({ pid }) => pid);
  const sessions = new Map(read.sessions.map((party) => [party.pid, party]));
  const pids = [
    ...new Set([...read.waits.flatMap(({ pid, blockers }) => [pid, ...blockers]), ...sessions.keys()]),
  ];
  const waited = (pid: number): number =>
    Math.max(0, ...(waits.get(pid) ?? []).map(({ waitedMs }) => waitedMs ?? 0));
  const waiters = [
    ...pids
      .toSorted((a, b) => waited(b) - waited(a) || a - b)
      .map((pid) => ({
        id: String(pid),
        waitsFor: (waits.get(pid) ?? []).flatMap(({ blockers, prepared }) => [
          ...blockers.map(String),
          ...prepared.map(preparedId),
        ]),
      })),
    ...read.prepared.map(({ gid }) => ({ id: preparedId(gid), waitsFor: [] })),
  ];
  const prepared = new Map(read.prepared.map((party) => [preparedId(party.gid), party]));
  return waitOrder(waiters).map((place) => {
    const party = prepared.get(place.id);
    if (party === undefined) {
      const pid = Number(place.id);
      return sessionNode(place, sessions.get(pid) ?? unseen(pid), waits.get(pid) ?? []);
    }
    return {
      pid: null,
      preparedTransaction: party.gid,
      depth: place.depth,
      circle: place.circle,
      user: party.user,
      application: null,
      database: party.database,
      backendType: null,
      state: "prepared",
      query: null,
      stateMs: party.preparedMs,
      transactionMs: null,
      godwit: false,
      waitsFor: null,
      remedy: remedyForPrepared(party, database),
    };
  });
}

function sessionNode(place: WaitPlace, party: LockParty, waits: readonly LockWait[]): LockTreeNode {
  const [first] = waits;
  return {
    pid: party.pid,
    preparedTransaction: null,
    depth: place.depth,
    circle: place.circle,
    user: party.user,
    application: party.application,
    database: party.database,
    backendType: party.backendType,
    state: party.state,
    query: (first?.keptOut ?? null) === null ? shownQuery(party.query) : null,
    stateMs: party.stateMs,
    transactionMs: party.transactionMs,
    godwit: isGodwits(party.application),
    waitsFor:
      first === undefined
        ? null
        : {
            mode: first.mode,
            object: first.object,
            waitedMs: first.waitedMs,
            keptOut: first.keptOut,
            pids: [...new Set(waits.flatMap(({ blockers }) => blockers))],
            preparedTransactions: [...new Set(waits.flatMap((wait) => wait.prepared))],
          },
    remedy: place.depth === 0 || place.circle ? remedyFor(party) : null,
  };
}

/** A blocker that had ended when the sessions were read. */
function unseen(pid: number): LockParty {
  return {
    pid,
    user: null,
    superuser: false,
    refusedTo: null,
    application: null,
    database: null,
    backendType: null,
    state: null,
    query: null,
    stateMs: null,
    transactionMs: null,
  };
}

/** Not to be taken for a process id. */
function preparedId(gid: string): string {
  return `prepared ${gid}`;
}
