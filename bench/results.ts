import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { RESULTS_FOLDER } from "./folders.ts";
import { SCENARIOS, type Scenario } from "./options.ts";
import type { ServerFacts } from "./server.ts";
import type { Summary } from "./statistics.ts";

/** One measured series. */
export interface Measurement {
  /** Stable within its scenario; claims look measurements up by it. */
  readonly name: string;
  readonly unit: "ms" | "MB";
  readonly summary: Summary;
  /** Of a peer: what was run. */
  readonly version?: string;
  readonly how?: string;
}

/** What one scenario found. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  /** Migrations each peer applied; in noop and memory the names say it. */
  readonly migrations: number | null;
  readonly measurements: readonly Measurement[];
  /** Peers that are missing, and why. */
  readonly unavailable: readonly { readonly name: string; readonly reason: string }[];
  /** How many measurements of time began while something else kept the machine busy. */
  readonly busy: { readonly all: number; readonly busy: number };
  readonly server: ServerFacts;
  readonly machine: Machine;
}

interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

/** The machine this runs on. */
export function thisMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release().replace(/-.*/, "")}`,
    node: process.versions.node,
  };
}

/** Keeps a result as `bench/results/<scenario>.json`, in place of the one before. */
export async function writeResult(result: ScenarioResult): Promise<void> {
  await mkdir(RESULTS_FOLDER, { recursive: true });
  await writeFile(resultFile(result.scenario), `${JSON.stringify(result, null, 2)}\n`);
}

/** The results kept, of the scenarios that were ever measured. */
export async function readResults(): Promise<ScenarioResult[]> {
  const found = await Promise.all(
    SCENARIOS.map(async (scenario) => {
      const text = await readFile(resultFile(scenario), "utf8").catch(() => null);
      if (text === null) return [];
      const result: ScenarioResult = JSON.parse(text);
      return [result];
    }),
  );
  return found.flat();
}

/** The median of a measurement; null when it was not made. */
export function medianOf(result: ScenarioResult | undefined, name: string): number | null {
  return result?.measurements.find((measurement) => measurement.name === name)?.summary.median ?? null;
}

function resultFile(scenario: Scenario): string {
  return join(RESULTS_FOLDER, `${scenario}.json`);
}
