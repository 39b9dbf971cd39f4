import type { NewResult } from "../../api/types.ts";
import { collect, migrationId, usageError, withoutUndefined } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { renderCreated } from "../views/created.ts";

interface Flags {
  readonly ts?: boolean;
  readonly repeatable?: boolean;
  readonly folder?: boolean;
  readonly requires?: readonly string[];
}

export const define: DefineVerb = (command, run) => {
  command
    .argument("<name...>", "what it does, in a few words")
    .option("--ts", "a TypeScript migration")
    .option("--repeatable", "for views and functions: runs again whenever its text changes")
    .option("--folder", "a folder with up.sql and down.sql")
    .option(
      "--requires <id>",
      "requires only this one, not every earlier one; may be repeated",
      collect(requirement),
    )
    .addHelpText(
      "after",
      examples([
        ["godwit new add orders", "migrations/<time>_add_orders.sql"],
        ["godwit new --ts fill order totals", "the same in TypeScript"],
        ["godwit new --repeatable sales_view", "migrations/sales_view.repeatable.sql"],
        ["godwit new --stream shared --requires 20260102090000_plans prices", "in one of several streams"],
      ]),
    )
    .action((words: readonly string[], { ts, repeatable, folder, requires }: Flags) => {
      const exclusive = [ts && "--ts", repeatable && "--repeatable", folder && "--folder"].filter(Boolean);
      if (exclusive.length > 1) throw usageError(`godwit new: ${exclusive.join(" and ")} exclude each other`);
      const name = words.join(" ").trim();
      if (name === "") throw usageError("godwit new: the name is empty", "godwit new add orders");
      return run<NewResult>({
        verb: "new",
        work: async (session) => {
          const streams = session.options.streams ?? [];
          if (streams.length > 1) throw usageError("godwit new: one --stream, please");
          const godwit = await session.godwit();
          const created = await godwit.create({
            name,
            ...withoutUndefined({ stream: streams[0], repeatable, folder, requires }),
            format: ts === true ? "ts" : "sql",
          });
          if (created.sortsBefore !== null) {
            session.emit({
              type: "warning",
              target: null,
              message: `${created.sortsBefore} sorts behind the new migration, which would be applied first`,
              hint: "ids are ordered bytewise; give the older one an id that begins with a time",
            });
          }
          return created;
        },
        view: renderCreated,
      });
    });
};

/** `ID`, `STREAM/ID`, or the path of a file. */
function requirement(value: string): string {
  return /\.(sql|ts|js|mjs)$/.test(value) ? migrationId("--requires")(value) : value;
}
