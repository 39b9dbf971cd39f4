import type { DevStatus } from "../../api/types.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderDevStatus, renderDevStopped } from "../views/dev.ts";

export const define: DefineVerb = (command, run) => {
  command.addHelpText(
    "after",
    examples([
      ["godwit dev start", "start it, or use the one that runs, and print its address"],
      ["godwit up --embedded", "migrate it; it is started if need be"],
      ["godwit dev stop", "stop it; the data stays under .godwit/postgres"],
    ]),
  );
  command
    .command("start")
    .description("Start the project's own PostgreSQL, if it does not run yet.")
    .addHelpText("after", examples([["godwit dev start", "prints its address, without the password"]]))
    .action(() =>
      run<DevStatus>({
        verb: "dev",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.devStart({ signal: session.signal }));
        },
        view: (result) => (result.url === null ? "" : `${result.url}\n`),
      }),
    );
  command
    .command("stop")
    .description("Stop the project's own PostgreSQL; its data stays.")
    .addHelpText("after", examples([["godwit dev stop", "fine if it does not run"]]))
    .action(() =>
      run<{ readonly stopped: boolean; readonly pid: number | null }>({
        verb: "dev",
        work: async (session) => {
          const godwit = await session.godwit();
          return godwit.devStop({ signal: session.signal });
        },
        closing: renderDevStopped,
      }),
    );
  command
    .command("status")
    .description("Show whether the project's own PostgreSQL runs, and where.")
    .addHelpText("after", examples([["godwit dev status", "process id, folder, address"]]))
    .action(() =>
      run<DevStatus>({
        verb: "dev",
        work: async (session) => (await session.godwit()).devStatus(),
        view: renderDevStatus,
      }),
    );
};
