import { describe, expect, it } from "vitest";
import { genesis, hashOf, type StoredEntry } from "../../src/history/log-chain.ts";
import { contradictions, type Evidence } from "./model.ts";

type Told = Pick<StoredEntry, "event" | "migrationId" | "runId"> & { readonly details?: object };

const [FIRST, SECOND] = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"];

/** A log as the server would have written it. */
function chainOf(told: readonly Told[]): StoredEntry[] {
  let head = genesis("default", "");
  return told.map(({ event, migrationId, runId, details = {} }) => {
    const entry = {
      seq: head.seq + 1,
      runId,
      migrationId,
      level: "info" as const,
      event,
      message: event,
      detailsText: JSON.stringify(details),
      at: "2026-01-01T00:00:00.000000Z",
      prevHash: head.hash,
    };
    const hash = hashOf(entry);
    head = { seq: entry.seq, hash };
    return { ...entry, hash };
  });
}

const acquired = (runId: string, token: number): Told => ({
  event: "lock.acquired",
  migrationId: null,
  runId,
  details: { token },
});
const applied = (runId: string, migrationId: string): Told => ({
  event: "migration.applied",
  migrationId,
  runId,
});
const takenBack = (runId: string, migrationId: string): Told => ({
  event: "migration.taken_back",
  migrationId,
  runId,
});
const step = (runId: string, event: string, ordinal: number): Told => ({
  event: `step.${event}`,
  migrationId: "2_b",
  runId,
  details: { direction: "up", ordinal },
});

/** Two runs; the first one died in the middle of the second migration. */
const TOLD: readonly Told[] = [
  acquired(FIRST, 1),
  applied(FIRST, "1_a"),
  step(FIRST, "finished", 1),
  step(FIRST, "intended", 2),
  acquired(SECOND, 3),
  step(SECOND, "intended", 2),
  step(SECOND, "finished", 2),
  applied(SECOND, "2_b"),
];

function evidenceOf(told: readonly Told[], change: Partial<Evidence> = {}): Evidence {
  const entries = chainOf(told);
  const last = entries.at(-1)!;
  return {
    stream: "default",
    targetSchema: "",
    entries,
    migrations: [
      { id: "1_a", kind: "versioned", status: "completed", appliedSeq: 1, runId: FIRST, token: 1 },
      { id: "2_b", kind: "versioned", status: "completed", appliedSeq: 2, runId: SECOND, token: 3 },
    ],
    openSteps: 0,
    lock: { token: 3, owner: SECOND, logSeq: last.seq, logHash: last.hash },
    effects: [
      { id: "1_a", done: [1], undone: [0], objects: true },
      { id: "2_b", done: [1, 1], undone: [0], objects: true },
    ],
    ...change,
  };
}

const effectOf = (id: string, change: object): Pick<Evidence, "effects"> => ({
  effects: evidenceOf(TOLD).effects.map((effect) => (effect.id === id ? { ...effect, ...change } : effect)),
});
const rowOf = (id: string, change: object): Pick<Evidence, "migrations"> => ({
  migrations: evidenceOf(TOLD).migrations.map((row) => (row.id === id ? { ...row, ...change } : row)),
});

describe("a history that holds", () => {
  it("contradicts nothing", () => {
    expect(contradictions(evidenceOf(TOLD))).toEqual([]);
  });

  it("may take back and apply again what it took back", () => {
    const told = [...TOLD, takenBack(SECOND, "2_b"), applied(SECOND, "2_b")];
    const effects = effectOf("2_b", { done: [2, 2], undone: [1] });
    expect(contradictions(evidenceOf(told, effects))).toEqual([]);
  });

  it("applies repeatables again after a way down, and only then", () => {
    const repeatable: Told = { event: "repeatable.applied", migrationId: "view", runId: SECOND };
    const row = {
      id: "view",
      kind: "repeatable",
      status: "completed",
      appliedSeq: 3,
      runId: SECOND,
      token: 3,
    };
    const more = (undone: number, done: number): Partial<Evidence> => ({
      migrations: [...rowOf("2_b", undone === 0 ? {} : { status: "rolled_back" }).migrations, row],
      effects: [
        ...effectOf("2_b", { undone: [undone], objects: undone === 0 }).effects,
        { id: "view", done: [done], undone: [], objects: true },
      ],
    });
    expect(
      contradictions(evidenceOf([...TOLD, repeatable, takenBack(SECOND, "2_b"), repeatable], more(1, 2))),
    ).toEqual([]);
    expect(contradictions(evidenceOf([...TOLD, repeatable, repeatable], more(0, 2)))).toEqual([
      "entry 10: view was applied again without having been taken back",
    ]);
  });
});

describe("a history that was forged, or written by two at once", () => {
  const without = (index: number): Told[] => TOLD.filter((_, place) => place !== index);

  it.each<[string, Evidence, string]>([
    [
      "an entry whose text was changed",
      {
        ...evidenceOf(TOLD),
        entries: evidenceOf(TOLD).entries.map((entry, at) => (at === 1 ? { ...entry, message: "x" } : entry)),
      },
      "entry 2 was altered",
    ],
    [
      "an entry that is missing in the middle",
      { ...evidenceOf(TOLD), entries: evidenceOf(TOLD).entries.toSpliced(3, 1) },
      "entry 4 is missing",
    ],
    [
      "an end that was cut off",
      { ...evidenceOf(TOLD), entries: evidenceOf(TOLD).entries.slice(0, -1) },
      "the log ends with entry 7, the lock remembers 8",
    ],
    [
      "a migration applied twice",
      evidenceOf([...TOLD, applied(SECOND, "1_a")]),
      "entry 9: 1_a was applied again",
    ],
    [
      "one taken back that was not applied",
      evidenceOf([...TOLD, takenBack(SECOND, "1_a"), takenBack(SECOND, "1_a")]),
      "entry 10: 1_a was taken back without being applied",
    ],
    ["a token that goes back", evidenceOf([...TOLD, acquired(FIRST, 2)]), "entry 9: token 2 comes behind 3"],
    [
      "a token that is given twice",
      evidenceOf([...TOLD, acquired(FIRST, 3)]),
      "entry 9: token 3 comes behind 3",
    ],
    [
      "an entry of an older token behind a newer one",
      evidenceOf([...TOLD, step(FIRST, "failed", 3)]),
      "entry 9: step.failed under token 1, behind token 3",
    ],
    ["a run that never held the lock", evidenceOf(without(0)), "of a run that never held the lock"],
    ["an entry of no run", evidenceOf([...TOLD, { ...TOLD[1]!, runId: null }]), "entry 9: names no run"],
    [
      "a step done twice",
      evidenceOf([...TOLD.slice(0, -1), TOLD[6]!, TOLD[7]!]),
      "step 2 of up was done twice",
    ],
    [
      "a step begun again after it was done",
      evidenceOf([...TOLD.slice(0, -1), TOLD[5]!, TOLD[7]!]),
      "step 2 of up was begun again after it was done",
    ],
    [
      "a step that failed without having been begun",
      evidenceOf([...TOLD.slice(0, -1), step(SECOND, "failed", 3), TOLD[7]!]),
      "step 3 of up failed without having been begun",
    ],
    [
      "a state that the log does not tell of",
      evidenceOf(without(7)),
      "2_b is completed, and the log tells of no end",
    ],
    [
      "a state that is behind the log",
      evidenceOf(TOLD, rowOf("2_b", { status: "running" })),
      "2_b is running, and the log tells completed",
    ],
    [
      "a state of another run",
      evidenceOf(TOLD, rowOf("2_b", { runId: FIRST, token: 1 })),
      `2_b names run ${FIRST} and token 1`,
    ],
    [
      "a state that was removed",
      evidenceOf(TOLD, { migrations: evidenceOf(TOLD).migrations.slice(1) }),
      "1_a was applied, and the history has forgotten it",
    ],
    ["one place for two", evidenceOf(TOLD, rowOf("2_b", { appliedSeq: 1 })), "applied in the same place"],
    [
      "an effect that is there twice",
      evidenceOf(TOLD, effectOf("2_b", { done: [1, 2] })),
      "up was done 2 times",
    ],
    ["an effect that is missing", evidenceOf(TOLD, effectOf("1_a", { done: [0] })), "up was done 0 times"],
    [
      "a way down that nobody told of",
      evidenceOf(TOLD, effectOf("1_a", { undone: [1] })),
      "down was done 1 times",
    ],
    [
      "objects that are missing",
      evidenceOf(TOLD, effectOf("1_a", { objects: false })),
      "its objects are not there",
    ],
    [
      "an effect that nobody looked for",
      evidenceOf(TOLD, { effects: evidenceOf(TOLD).effects.slice(1) }),
      "1_a was applied, and nothing shows it",
    ],
    ["a ledger that is left over", evidenceOf(TOLD, { openSteps: 1 }), "the ledger still has 1 lines"],
    [
      "a lock whose token went back",
      evidenceOf(TOLD, { lock: { ...evidenceOf(TOLD).lock, token: 2 } }),
      "the lock has token 2, and the log tells of 3",
    ],
  ])("%s", (_, evidence, problem) => {
    expect(contradictions(evidence).join("\n")).toContain(problem);
  });
});
