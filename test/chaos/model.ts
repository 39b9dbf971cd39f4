import { breakBetween, genesis, type StoredEntry } from "../../src/history/log-chain.ts";

/** A row of `migrations`. */
export interface StateRow {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly appliedSeq: number | null;
  readonly runId: string | null;
  readonly token: number | null;
}

/** What the database itself shows of a migration, found without asking the history. */
export interface Effect {
  readonly id: string;
  /** How often each part of `up` has taken effect, over all time: a part is what commits as one. */
  readonly done: readonly number[];
  /** How often each part of `down` has; empty for what has no way down. */
  readonly undone: readonly number[];
  /** Whether the objects that it makes, and `down` removes, are there, whole and valid. */
  readonly objects: boolean;
}

/** A target at rest: nothing runs on it, and every run got to its end or died. */
export interface Evidence {
  readonly stream: string;
  readonly targetSchema: string;
  /** By number. */
  readonly entries: readonly StoredEntry[];
  readonly migrations: readonly StateRow[];
  /** Lines of the ledger. */
  readonly openSteps: number;
  readonly lock: {
    readonly token: number;
    readonly owner: string;
    readonly logSeq: number;
    readonly logHash: string;
  };
  readonly effects: readonly Effect[];
}

interface Told {
  isRepeatable: boolean;
  applied: number;
  takenBack: number;
  isApplied: boolean;
  /** Of the run and token that applied it last. */
  by: { readonly runId: string | null; readonly token: number } | null;
  /** Steps of the attempt that goes on, by direction and ordinal. */
  steps: Map<string, string>;
}

/**
 * Replays the log of a target and compares what it tells with the state that the history keeps and with the database itself.
 * @returns what contradicts the promise that everything is done exactly once and under the newest token; empty: nothing.
 */
export function contradictions(evidence: Evidence): string[] {
  const problems: string[] = [];
  checkChain(evidence, problems);
  const told = replay(evidence.entries, problems);
  checkStates(evidence, told, problems);
  checkEffects(evidence, told, problems);
  const newest = newestToken(evidence.entries);
  if (newest > evidence.lock.token)
    problems.push(`the lock has token ${evidence.lock.token}, and the log tells of ${newest}`);
  if (evidence.openSteps > 0) problems.push(`the ledger still has ${evidence.openSteps} lines`);
  return problems;
}

function checkChain({ stream, targetSchema, entries, lock }: Evidence, problems: string[]): void {
  let head = genesis(stream, targetSchema);
  for (const entry of entries) {
    const broken = breakBetween(head, entry);
    if (broken !== null) problems.push(broken);
    head = { seq: entry.seq, hash: entry.hash };
  }
  if (head.seq !== lock.logSeq || head.hash !== lock.logHash)
    problems.push(`the log ends with entry ${head.seq}, the lock remembers ${lock.logSeq}`);
}

function replay(entries: readonly StoredEntry[], problems: string[]): Map<string, Told> {
  const told = new Map<string, Told>();
  const tokens = new Map<string, number>();
  let newest = 0;
  for (const entry of entries) {
    const say = (problem: string): void => void problems.push(`entry ${entry.seq}: ${problem}`);
    if (entry.runId === null) {
      say("names no run");
      continue;
    }
    if (entry.event === "lock.acquired") {
      const token = Number(detailsOf(entry)["token"]);
      if (!(token > newest)) say(`token ${token} comes behind ${newest}`);
      newest = Math.max(newest, token);
      tokens.set(entry.runId, token);
    }
    const token = tokens.get(entry.runId);
    if (token === undefined) say(`${entry.event} of a run that never held the lock`);
    else if (token < newest) say(`${entry.event} under token ${token}, behind token ${newest}`);
    if (entry.migrationId !== null) follow(told, entry, token ?? 0, say);
  }
  return told;
}

const nothingTold = (): Told => ({
  isRepeatable: false,
  applied: 0,
  takenBack: 0,
  isApplied: false,
  by: null,
  steps: new Map(),
});

function follow(
  told: Map<string, Told>,
  entry: StoredEntry,
  token: number,
  say: (problem: string) => void,
): void {
  const id = entry.migrationId!;
  const one = told.get(id) ?? nothingTold();
  told.set(id, one);
  const { direction, ordinal } = detailsOf(entry);
  const step = `${String(ordinal)} of ${String(direction)}`;
  switch (entry.event) {
    case "repeatable.applied":
    case "migration.applied":
      if (one.isApplied) say(`${id} was applied again without having been taken back`);
      one.isRepeatable = entry.event === "repeatable.applied";
      one.applied += 1;
      finish(one, true, entry, token);
      break;
    case "migration.taken_back":
      if (!one.isApplied) say(`${id} was taken back without being applied`);
      one.takenBack += 1;
      finish(one, false, entry, token);
      // A way down may drop what repeatables made, or what they read: they are due again.
      for (const other of told.values()) if (other.isRepeatable) other.isApplied = false;
      break;
    case "step.intended":
      if (one.steps.get(step) === "finished") say(`${id}: step ${step} was begun again after it was done`);
      one.steps.set(step, "intended");
      break;
    case "step.finished":
      if (one.steps.get(step) === "finished") say(`${id}: step ${step} was done twice`);
      one.steps.set(step, "finished");
      break;
    case "step.failed":
      if (one.steps.get(step) !== "intended") say(`${id}: step ${step} failed without having been begun`);
      one.steps.set(step, "failed");
      break;
    default:
  }
}

function finish(one: Told, isApplied: boolean, { runId }: StoredEntry, token: number): void {
  one.isApplied = isApplied;
  one.by = { runId, token };
  one.steps.clear();
}

function checkStates({ migrations }: Evidence, told: Map<string, Told>, problems: string[]): void {
  for (const { id, status, runId, token } of migrations) {
    const one = told.get(id) ?? nothingTold();
    const wanted = one.isApplied ? "completed" : one.applied > 0 ? "rolled_back" : null;
    if (status !== wanted)
      problems.push(`${id} is ${status}, and the log tells ${wanted ?? "of no end of it"}`);
    if (one.by !== null && (one.by.runId !== runId || one.by.token !== token))
      problems.push(
        `${id} names run ${runId} and token ${token}, the log ${one.by.runId} and ${one.by.token}`,
      );
  }
  const rows = new Set(migrations.map(({ id }) => id));
  for (const [id, { applied }] of told)
    if (applied > 0 && !rows.has(id)) problems.push(`${id} was applied, and the history has forgotten it`);
  const places = migrations
    .filter(({ status }) => status === "completed")
    .map(({ appliedSeq }) => appliedSeq);
  if (new Set(places).size < places.length) problems.push("two migrations were applied in the same place");
}

function checkEffects({ effects }: Evidence, told: Map<string, Told>, problems: string[]): void {
  const shown = new Set(effects.map(({ id }) => id));
  for (const [id, { applied }] of told)
    if (applied > 0 && !shown.has(id)) problems.push(`${id} was applied, and nothing shows it`);
  for (const { id, done, undone, objects } of effects) {
    const { applied, takenBack, isApplied } = told.get(id) ?? nothingTold();
    for (const times of done)
      if (times !== applied) problems.push(`${id}: up was done ${times} times, the log tells of ${applied}`);
    for (const times of undone)
      if (times !== takenBack)
        problems.push(`${id}: down was done ${times} times, the log tells of ${takenBack}`);
    if (objects !== isApplied && (isApplied || undone.length > 0))
      problems.push(
        `${id} is ${isApplied ? "" : "not "}applied, and its objects are ${objects ? "" : "not "}there`,
      );
  }
}

function newestToken(entries: readonly StoredEntry[]): number {
  const tokens = entries
    .filter(({ event }) => event === "lock.acquired")
    .map((entry) => Number(detailsOf(entry)["token"]));
  return Math.max(0, ...tokens);
}

function detailsOf(entry: StoredEntry): Record<string, unknown> {
  return JSON.parse(entry.detailsText) as Record<string, unknown>;
}
