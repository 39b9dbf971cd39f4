import type { InitResult } from "../../api/types.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderInit, renderNextSteps } from "../views/created.ts";

export const define: DefineVerb = (command, run) => {
  command
    .argument("[dir]", "the project's folder (default: this one)")
    .addHelpText(
      "after",
      examples([
        ["godwit init", "godwit.config.yaml and migrations/ with a first migration"],
        ["godwit init services/shop", "in another folder"],
      ]),
    )
    .action((dir: string | undefined) =>
      run<InitResult>({
        verb: "init",
        work: async ({ io }) => {
          const { initProject } = await import("../init-project.ts");
          return initProject(dir ?? ".", io.cwd, io.now());
        },
        view: renderInit,
        closing: (_, context) => renderNextSteps(dir, context),
      }),
    );
};
