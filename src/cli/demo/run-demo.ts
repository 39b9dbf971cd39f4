import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicMs } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import { GodwitError } from "../../core/error.ts";
import { throwIfAborted } from "../../core/interrupt.ts";
import { runCli } from "../run-cli.ts";
import type { Session } from "../session.ts";
import { styleFor, wantsColour } from "../style.ts";
import { abridged, capturedIo } from "./captured-io.ts";
import { BROKEN_ID, BROKEN_SQL, FIXED_SQL, tellStory } from "./story.ts";

export interface Chapter {
  readonly title: string;
  readonly command: string;
  /** The exit status that the command ended with. */
  readonly exit: number;
  readonly durationMs: number;
}
export interface DemoResult {
  readonly chapters: readonly Chapter[];
}

interface Scene {
  readonly title: string;
  readonly argv: readonly string[];
  readonly exit: number;
  /** Lines to show of the beginning and the end of the output. */
  readonly show: readonly [first: number, last: number];
  before?(): void;
}

/** The verbs that are shown, in order; `migrations` is the folder that the demo may break. */
function scenes(migrations: string): Scene[] {
  const broken = join(migrations, `${BROKEN_ID}.sql`);
  return [
    {
      title: "Every migration, each in a transaction with its own line of history",
      argv: ["up"],
      exit: 0,
      show: [6, 6],
    },
    { title: "Where the database stands", argv: ["status"], exit: 0, show: [1, 6] },
    {
      title: "A migration with a mistake in its second statement",
      argv: ["up"],
      exit: 1,
      show: [12, 12],
      before: () => writeFileSync(broken, BROKEN_SQL),
    },
    { title: "Nothing is half done, and status says what is next", argv: ["status"], exit: 0, show: [1, 6] },
    {
      title: "Mistake corrected: the same command goes on where it stopped",
      argv: ["up"],
      exit: 0,
      show: [8, 4],
      before: () => writeFileSync(broken, FIXED_SQL),
    },
    { title: "And all the way back", argv: ["down", "--all"], exit: 0, show: [5, 4] },
  ];
}

/**
 * Starts a throw-away server, runs real verbs on a copy of an example and tells what they print; then nothing is left.
 * @param tell takes the text for people.
 * @throws GodwitError EMBEDDED_UNAVAILABLE, INTERNAL when a verb did not end as it should, the signal's reason.
 */
export async function runDemo(session: Session, tell: (text: string) => void): Promise<DemoResult> {
  const { io, globals, signal } = session;
  const style = styleFor(wantsColour(globals.color ?? "auto", io.stdout, io.env));
  const { withTemporaryServer } = await import("../../postgres/embedded/temporary-server.ts");
  const chapters: Chapter[] = [];
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "godwit-demo-")));
  const began = monotonicMs();
  tell(style.dim("starting a PostgreSQL of its own in a temporary folder …\n"));
  try {
    const story = tellStory(join(folder, "shop"));
    const options = {
      signal,
      env: io.env,
      onProgress: (message: string) => tell(style.dim(`  ${message}\n`)),
    };
    await withTemporaryServer(options, async (server) => {
      const started = formatDuration(monotonicMs() - began);
      const version = server.version.split(".").slice(0, 2).join(".");
      tell(`${style.green("✓")} PostgreSQL ${version} is up ${style.dim(`after ${started}`)}\n`);
      tell(style.dim(`  the project is ${story.about}\n`));
      for (const [at, scene] of scenes(join(story.folder, "migrations")).entries()) {
        throwIfAborted(signal);
        scene.before?.();
        tell(
          `\n${style.bold(`${at + 1}. ${scene.title}`)}\n${style.cyan(`$ godwit ${scene.argv.join(" ")}`)}\n`,
        );
        const captured = capturedIo(io, { ...io.env, DATABASE_URL: server.conninfo }, story.folder);
        const colour = ["--color", style.isColorSupported ? "always" : "never"];
        const from = monotonicMs();
        const exit = await runCli([...scene.argv, ...colour], { ...session.cli, io: captured.io });
        const durationMs = monotonicMs() - from;
        throwIfAborted(signal);
        const [first, last] = scene.show;
        tell(`${abridged(captured.text(), first, last, (lines) => style.dim(`  ⋮ ${lines} more lines`))}\n`);
        if (exit !== 0) tell(style.dim(`(exit status ${exit})\n`));
        chapters.push({ title: scene.title, command: `godwit ${scene.argv.join(" ")}`, exit, durationMs });
        if (exit !== scene.exit) {
          throw new GodwitError(
            "INTERNAL",
            `the demo's \`godwit ${scene.argv.join(" ")}\` ended with ${exit}, not ${scene.exit}`,
          );
        }
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { chapters };
}
