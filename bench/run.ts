import { BenchError, PeerUnavailable } from "./bench-error.ts";
import { judge } from "./claims.ts";
import type { BenchContext, InstalledPeer } from "./context.ts";
import { emptyFolder, WORK_FOLDER } from "./folders.ts";
import { type BenchOptions, parseOptions, type Scenario, USAGE } from "./options.ts";
import { PEERS } from "./peers/index.ts";
import { quietGate } from "./quiet.ts";
import { claimsTable, conditions, resultTable, title, writePage } from "./report.ts";
import { type Measurement, readResults, type ScenarioResult, thisMachine, writeResult } from "./results.ts";
import { measureApply } from "./scenarios/apply.ts";
import { measureCrowd } from "./scenarios/crowd.ts";
import { measureMemory } from "./scenarios/memory.ts";
import { measureNoop } from "./scenarios/noop.ts";
import { withBenchServer } from "./server.ts";

const MEASURE: Readonly<Record<Scenario, (context: BenchContext) => Promise<Measurement[]>>> = {
  apply: measureApply,
  noop: measureNoop,
  crowd: measureCrowd,
  memory: measureMemory,
};

/** Of the measurements of a result that is kept, at most so many may have begun on a busy machine. */
const BUSY_SHARE = 0.2;

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit status: 0 done, 1 a claim is not met, 2 the bench could not be run. */
async function main(argv: readonly string[]): Promise<number> {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stopping.abort(new BenchError(`stopped by ${name}`)));
  }
  try {
    const names = PEERS.map(({ name }) => name);
    const options = parseOptions(argv, names);
    if (options === null) {
      process.stdout.write(USAGE);
      return 0;
    }
    const results = await measure(options, stopping.signal);
    const claims = judge(results);
    process.stdout.write(`\n${claimsTable(claims)}\n`);
    if (options.write) await keep(results);
    return options.check && claims.some(({ met }) => met === false) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof Error) || !isExpected(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

async function measure(options: BenchOptions, signal: AbortSignal): Promise<ScenarioResult[]> {
  await emptyFolder(WORK_FOLDER);
  const { peers, unavailable } = await install(options, signal);
  return withBenchServer({ signal, onProgress: progress }, async (server) => {
    const results: ScenarioResult[] = [];
    for (const scenario of options.scenarios) {
      const quiet = quietGate();
      const context = { server, options, peers, quiet, signal, progress };
      const measurements = await MEASURE[scenario](context);
      const result: ScenarioResult = {
        scenario,
        migrations: scenario === "apply" ? options.migrations : null,
        measurements: measurements.map((measurement) => describe(measurement, peers)),
        unavailable: scenario === "apply" ? unavailable : unavailable.filter(({ name }) => name === "godwit"),
        busy: quiet.counts,
        server: server.facts,
        machine: thisMachine(),
      };
      process.stdout.write(`\n${title(result)}\n\n${resultTable(result)}\n\n${conditions(result)}\n`);
      results.push(result);
    }
    return results;
  });
}

interface Installation {
  readonly peers: readonly InstalledPeer[];
  readonly unavailable: ScenarioResult["unavailable"];
}

/** Installs what the scenarios need: all chosen peers for `apply`, Godwit alone for the others. */
async function install(
  { peers: chosen, scenarios }: BenchOptions,
  signal: AbortSignal,
): Promise<Installation> {
  const wanted = PEERS.filter(({ name }) => {
    if (chosen !== null && !chosen.includes(name)) return false;
    return scenarios.includes("apply") || name === "godwit";
  });
  const peers: InstalledPeer[] = [];
  const unavailable: { name: string; reason: string }[] = [];
  for (const peer of wanted) {
    const context = { signal, progress: (message: string) => progress(`${peer.name}: ${message}`) };
    try {
      await peer.install(context);
      peers.push({ peer, version: await peer.version(context) });
    } catch (error) {
      if (!(error instanceof PeerUnavailable)) throw error;
      unavailable.push({ name: peer.name, reason: error.message });
      progress(`${peer.name} is left out: ${error.message}`);
    }
  }
  return { peers, unavailable };
}

/** Adds what was run, and in which version, to the measurement of a peer. */
function describe(measurement: Measurement, peers: readonly InstalledPeer[]): Measurement {
  const installed = peers.find(({ peer }) => peer.name === measurement.name);
  if (installed === undefined) return measurement;
  return { ...measurement, version: installed.version, how: installed.peer.how };
}

/**
 * Keeps these results, and shows them in the documentation beside those of scenarios not run now.
 * @throws BenchError when the machine was too busy for them to mean something.
 */
async function keep(results: readonly ScenarioResult[]): Promise<void> {
  const disturbed = results.find(({ busy }) => busy.busy > BUSY_SHARE * busy.all);
  if (disturbed !== undefined) {
    throw new BenchError(
      `nothing was kept: ${disturbed.busy.busy} of ${disturbed.busy.all} measurements of "${disturbed.scenario}" ` +
        "began on a busy machine; run it again when nothing else runs",
    );
  }
  for (const result of results) await writeResult(result);
  await writePage(await readResults());
}

function progress(message: string): void {
  process.stderr.write(`${message}\n`);
}

function isExpected(error: Error): boolean {
  return error instanceof BenchError || error.name === "GodwitError";
}
