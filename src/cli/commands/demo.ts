import { monotonicMs } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import type { DemoResult } from "../demo/run-demo.ts";
import { type DefineVerb, examples } from "../verb.ts";

export const define: DefineVerb = (command, run) => {
  command
    .addHelpText(
      "after",
      examples([
        ["godwit demo", "ten seconds, nothing to install, nothing left behind"],
        ["godwit demo --json", "what ran and how long it took"],
      ]),
    )
    .action(() => {
      const began = monotonicMs();
      return run<DemoResult>({
        verb: "demo",
        work: async (session) => {
          const { runDemo } = await import("../demo/run-demo.ts");
          const silent = session.globals.json === true || session.globals.quiet === true;
          return runDemo(session, (text) => (silent ? undefined : session.io.stdout.write(text)));
        },
        closing: (_, { style }) =>
          `\n${style.green("✓")} the server is stopped and its files are gone ${style.dim(`(${formatDuration(monotonicMs() - began)} in all)`)}\n` +
          `\nnext, in a folder of yours:\n  ${style.bold("godwit init")}           a configuration and a first migration\n` +
          `  ${style.bold("godwit up --embedded")}  apply it to a PostgreSQL of the project's own\n`,
      });
    });
};
