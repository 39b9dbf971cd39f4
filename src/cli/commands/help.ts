import { unknownVerb } from "../usage.ts";
import { type DefineVerb, examples } from "../verb.ts";
import { findVerb } from "../verbs.ts";

export const define: DefineVerb = (command) => {
  command
    .argument("[verb...]", "the verb to explain; absent: list them all")
    .addHelpText(
      "after",
      examples([
        ["godwit help", "all verbs"],
        ["godwit help up", "the same as `godwit up --help`"],
        ["godwit help dev start", "one of a verb's own verbs"],
      ]),
    )
    .action((words: readonly string[]) => {
      const program = command.parent!;
      let shown = program;
      for (const [at, word] of words.entries()) {
        const name = at === 0 ? findVerb(word)?.name : word;
        const inner = shown.commands.find((candidate) => candidate.name() === name);
        if (inner === undefined) throw unknownVerb(word);
        shown = inner;
      }
      shown.outputHelp();
    });
};
