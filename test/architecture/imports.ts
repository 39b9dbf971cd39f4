import { scan } from "./scan.ts";

/** `type` is gone at run time, `static` is loaded with the file, `dynamic` when `import()` is reached. */
export interface Import {
  readonly specifier: string;
  readonly kind: "type" | "static" | "dynamic";
}

const STATEMENT = /^[ \t]*(?:import|export)\b(?<clause>[^;"'()]*?)\bfrom\s*"(?<blank>[^"]*)"/gm;
const SIDE_EFFECT = /^[ \t]*import\s*"(?<blank>[^"]*)"/gm;
const DYNAMIC = /\bimport\(\s*"(?<blank>[^"]*)"/g;

/** The imports and re-exports of a module whose specifiers are texts. */
export function importsOf(source: string): readonly Import[] {
  const { code } = scan(source);
  const specifier = (match: RegExpMatchArray): string => {
    const end = match.index! + match[0].length - 1;
    return source.slice(end - match.groups!["blank"]!.length, end);
  };
  return [
    ...Array.from(code.matchAll(STATEMENT), (match) => ({
      specifier: specifier(match),
      kind: isTypeOnly(match.groups!["clause"]!) ? ("type" as const) : ("static" as const),
    })),
    ...Array.from(code.matchAll(SIDE_EFFECT), (match) => ({
      specifier: specifier(match),
      kind: "static" as const,
    })),
    ...Array.from(code.matchAll(DYNAMIC), (match) => ({
      specifier: specifier(match),
      kind: "dynamic" as const,
    })),
  ];
}

function isTypeOnly(clause: string): boolean {
  if (/^\s+type\b/.test(clause)) return true;
  const names = /^\s*\{(?<names>[^}]*)\}\s*$/.exec(clause)?.groups?.["names"];
  return (
    names !== undefined && names.split(",").every((name) => name.trim() === "" || /^\s*type\s/.test(name))
  );
}
