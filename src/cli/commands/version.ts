import { type DefineVerb, examples } from "../verb.ts";
import { ownVersion } from "../version.ts";

export const define: DefineVerb = (command, run) => {
  command
    .addHelpText(
      "after",
      examples([
        ["godwit version", "with the version of Node and the platform"],
        ["godwit --version", "the number alone"],
      ]),
    )
    .action(() =>
      run<{ readonly version: string; readonly node: string; readonly platform: string }>({
        verb: "version",
        work: () =>
          Promise.resolve({
            version: ownVersion(),
            node: process.versions.node,
            platform: `${process.platform}-${process.arch}`,
          }),
        view: ({ version, node, platform }) => `godwit ${version} (Node ${node}, ${platform})\n`,
      }),
    );
};
