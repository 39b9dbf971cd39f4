import { GodwitError } from "../core/error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `${VAR}` and `${VAR:-default}` by the environment's values, as a shell does: the default also stands in
 * for an empty variable, may hold further variables, and ends at the first `}` that is not theirs.
 * `$${` is a literal `${`; any other `$` is itself. Values of variables are taken as they are, not expanded again.
 * @param key names the configuration key in errors, which never show the value: it may hold a secret.
 * @throws GodwitError VARIABLE_UNSET, or CONFIG_INVALID for a `${` that is neither form.
 */
export function expand(value: string, env: Environment, key: string): string {
  return expandFrom(value, 0, false, { env, key }).text;
}

interface Context {
  readonly env: Environment;
  readonly key: string;
}

function expandFrom(
  value: string,
  start: number,
  nested: boolean,
  context: Context,
): { readonly text: string; readonly end: number } {
  let text = "";
  let at = start;
  while (at < value.length) {
    if (value.startsWith("$${", at)) {
      text += "${";
      at += 3;
    } else if (value.startsWith("${", at)) {
      const variable = expandVariable(value, at, context);
      text += variable.text;
      at = variable.end;
    } else if (nested && value[at] === "}") {
      return { text, end: at };
    } else {
      text += value[at];
      at += 1;
    }
  }
  if (nested) throw malformed(context.key, "a ${ is not closed by }");
  return { text, end: at };
}

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(\}|:-)/y;

function expandVariable(value: string, start: number, context: Context): { text: string; end: number } {
  REFERENCE.lastIndex = start;
  const match = REFERENCE.exec(value);
  if (match?.[1] === undefined) throw malformed(context.key, "a ${ is followed by neither NAME} nor NAME:-");
  const name = match[1];
  const found = Object.hasOwn(context.env, name) ? context.env[name] : undefined;
  const afterName = start + match[0].length;
  if (match[2] === "}") {
    if (found === undefined) throw unset(context.key, name);
    return { text: found, end: afterName };
  }
  if (found === undefined || found === "") {
    const fallback = expandFrom(value, afterName, true, context);
    return { text: fallback.text, end: fallback.end + 1 };
  }
  return { text: found, end: endOfDefault(value, afterName, context.key) + 1 };
}

/** Where the `}` of an unused default stands: its own variables need not be set. */
function endOfDefault(value: string, start: number, key: string): number {
  let depth = 0;
  for (let at = start; at < value.length; at++) {
    if (value.startsWith("$${", at)) at += 2;
    else if (value.startsWith("${", at)) depth += 1;
    else if (value[at] === "}" && depth-- === 0) return at;
  }
  throw malformed(key, "a ${ is not closed by }");
}

function unset(key: string, name: string): GodwitError {
  return new GodwitError("VARIABLE_UNSET", `${key} uses \${${name}}, and ${name} is not set`, {
    hint: `set it in the environment (export ${name}=…), or give it a default: \${${name}:-…}`,
  });
}

function malformed(key: string, what: string): GodwitError {
  return new GodwitError("CONFIG_INVALID", `${key}: ${what}`, {
    hint: "write ${NAME} or ${NAME:-default}; for a literal ${ write $${",
  });
}
