import { Argument } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion/scripts.ts";
import { oneOf } from "../option-values.ts";
import { type DefineVerb, examples } from "../verb.ts";

export const define: DefineVerb = (command, run) => {
  command
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS).argParser(oneOf("shell", SHELLS)))
    .addHelpText(
      "after",
      examples([
        ["source <(godwit completion bash)", "in ~/.bashrc"],
        ["source <(godwit completion zsh)", "in ~/.zshrc"],
        ["godwit completion fish > ~/.config/fish/completions/godwit.fish", "once"],
        ["godwit completion powershell | Out-String | Invoke-Expression", "in $PROFILE"],
      ]),
    )
    .action((shell: Shell) =>
      run<{ readonly shell: Shell; readonly script: string }>({
        verb: "completion",
        work: () => Promise.resolve({ shell, script: completionScript(shell) }),
        view: ({ script }) => script,
      }),
    );
};
