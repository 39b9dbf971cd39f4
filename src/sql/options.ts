import type { DefElem, Node } from "libpg-query";
import { stringOf } from "./tree.ts";

/** The option of that name in a list such as `WITH (a = b)`; the last one if it is given twice. */
export function namedOption(options: readonly Node[] | undefined, name: string): DefElem | undefined {
  let found: DefElem | undefined;
  for (const option of options ?? []) {
    if ("DefElem" in option && option.DefElem.defname?.toLowerCase() === name) found = option.DefElem;
  }
  return found;
}

/** Whether a boolean option is on, read as the server does (define.c, defGetBoolean): a name without a value is on. */
export function optionIsOn(options: readonly Node[] | undefined, name: string, otherwise: boolean): boolean {
  const option = namedOption(options, name);
  if (option === undefined) return otherwise;
  const { arg } = option;
  if (arg === undefined) return true;
  if ("Integer" in arg) return (arg.Integer.ival ?? 0) !== 0;
  if ("Boolean" in arg) return arg.Boolean.boolval === true;
  // A bare word such as `off` is read as the name of a type.
  const word = stringOf("TypeName" in arg ? arg.TypeName.names?.at(-1) : arg);
  return word === undefined || !["false", "off"].includes(word.toLowerCase());
}
