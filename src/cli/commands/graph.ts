import type { GraphResult } from "../../api/types.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderGraph } from "../views/graph.ts";
import { renderDot } from "../views/graph-dot.ts";

interface Flags {
  readonly dot?: boolean;
  readonly offline?: boolean;
}

export const define: DefineVerb = (command, run) => {
  command
    .option("--dot", "in the language of Graphviz")
    .option("--offline", "from the files alone, without asking a database")
    .addHelpText(
      "after",
      examples([
        ["godwit graph", "every migration with what it requires"],
        ["godwit graph --offline", "without a database"],
        ["godwit graph --dot | dot -Tsvg > graph.svg", "as a picture"],
      ]),
    )
    .action(({ dot, offline }: Flags) =>
      run<GraphResult>({
        verb: "graph",
        work: async (session) => {
          const godwit = await session.godwit();
          return session.follow(godwit.graph({ ...session.options, offline: offline === true }));
        },
        view: (result, context) => (dot === true ? renderDot(result) : renderGraph(result, context)),
      }),
    );
};
