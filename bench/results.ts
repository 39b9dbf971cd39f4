import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { RESULTS_FOLDER } from "./folders.ts";
import { SCENARIOS, type Scenario } from "./options.ts";
import type { ServerFacts } from "./server.ts";
import type { Summary } from "./statistics.ts";

const LINE_WIDTH = 110;
/** A list of numbers as JSON.stringify writes it, one on a line. */
const NUMBERS = /^( *)("\w+": )\[([\d.,\s]+)\]/gm;

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
  const text = JSON.stringify(result, null, 2).replace(
    NUMBERS,
    (_, indent: string, key: string, list: string) =>
      formatNumbers(
        indent,
        key,
        list.split(",").map((number) => number.trim()),
      ),
  );
  await writeFile(resultFile(result.scenario), `${text}\n`);
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

/** As many numbers on a line as the formatter of this repository would put there. */
function formatNumbers(indent: string, key: string, numbers: readonly string[]): string {
  const single = `${indent}${key}[${numbers.join(", ")}]`;
  if (single.length <= LINE_WIDTH) return single;
  const inner = `${indent}  `;
  const lines = [inner];
  for (const [index, number] of numbers.entries()) {
    const word = index === numbers.length - 1 ? number : `${number},`;
    const line = lines.at(-1) ?? inner;
    if (line === inner) lines[lines.length - 1] = `${inner}${word}`;
    else if (line.length + 1 + word.length <= LINE_WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${inner}${word}`);
  }
  return [`${indent}${key}[`, ...lines, `${indent}]`].join("\n");
}

function resultFile(scenario: Scenario): string {
  return join(RESULTS_FOLDER, `${scenario}.json`);
}
