import type { Directive, SqlProblem } from "../sql/types.ts";
import type { SettingsPlace } from "./directives.ts";
import { locate } from "./problems.ts";
import type { Requirement } from "./types.ts";

/** An id, or several: bare words, or in double quotes where an id has white space or a comma. */
const TOKEN = /"([^"]*)"|[^\s,"]+/g;

/**
 * Reads one requirement as it is written: `<id>` of the same stream, or `<stream>/<id>`.
 * @returns null for anything that cannot be one.
 */
export function readRequirement(written: string, stream: string): { stream: string; id: string } | null {
  const slash = written.indexOf("/");
  const requirement =
    slash === -1
      ? { stream, id: written }
      : { stream: written.slice(0, slash), id: written.slice(slash + 1) };
  const wrong =
    requirement.id === "" ||
    requirement.stream === "" ||
    requirement.id.includes("/") ||
    written.startsWith("--");
  return wrong ? null : requirement;
}

/** Reads the argument of `-- godwit:requires`: ids separated by spaces or commas. */
export function readRequirements(
  directive: Directive,
  place: SettingsPlace,
): { readonly requirements: readonly Requirement[]; readonly problem: SqlProblem | null } {
  const { line, column } = directive;
  const requirements: Requirement[] = [];
  for (const [token, quoted] of directive.argument.matchAll(TOKEN)) {
    const requirement = readRequirement(quoted ?? token, place.stream);
    if (requirement === null) {
      const hint =
        "write ids as `<id>` or `<stream>/<id>`, separated by spaces; remarks go on a line of their own";
      return {
        requirements,
        problem: { message: `\`godwit:requires\`: ${token} is not an id`, hint, line, column },
      };
    }
    requirements.push({ ...requirement, location: locate(place.file, place.text, line, column) });
  }
  if (requirements.length > 0) return { requirements, problem: null };
  const hint = "name at least one id, or delete the line: without it every earlier id is required";
  return { requirements, problem: { message: "`godwit:requires` names nothing", hint, line, column } };
}
