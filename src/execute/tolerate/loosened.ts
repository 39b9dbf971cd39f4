import type { Node } from "libpg-query";

/** Takes out of a text of the catalog what is not to be compared. */
export type Loosen = (text: string | null) => string | null;

/** Names of options and parameters in a list of the grammar, with their namespace where they have one: `toast.fillfactor`. */
export function optionNames(list: Node | readonly Node[] | undefined): string[] {
  const items =
    list === undefined ? [] : "length" in list ? list : "List" in list ? (list.List.items ?? []) : [];
  return items.flatMap((item) => {
    if (!("DefElem" in item) || item.DefElem.defname === undefined) return [];
    const { defname, defnamespace } = item.DefElem;
    return [defnamespace === undefined ? defname : `${defnamespace}.${defname}`];
  });
}

/** Options as `WITH (fillfactor=70, …)` without some of them; null where none is left. */
export function withoutOptions(names: readonly string[]): Loosen {
  return (text) => {
    const [, before = "", list = ""] = /^([^(]*\((?:toast: )?)(.*)\)$/s.exec(text ?? "") ?? [];
    const kept = list
      .split(", ")
      .filter((one) => one !== "" && !names.includes(one.slice(0, one.indexOf("="))));
    return kept.length === 0 ? null : `${before}${kept.join(", ")})`;
  };
}

/** What each option of a sequence sets, in the text of its parameters; the type sets its bounds as well. */
const PARAMETERS: Readonly<Record<string, readonly RegExp[]>> = {
  as: [/AS [a-z]+/, / MINVALUE -?\d+/, / MAXVALUE -?\d+/],
  start: [/ START -?\d+/],
  increment: [/ INCREMENT -?\d+/],
  minvalue: [/ MINVALUE -?\d+/],
  maxvalue: [/ MAXVALUE -?\d+/],
  cache: [/ CACHE \d+/],
  cycle: [/ CYCLE/],
  generated: [/GENERATED (?:ALWAYS|BY DEFAULT) /],
};

/** The parameters of a sequence, or of an identity column, without some of them. How far it has counted is none of them. */
export function withoutParameters(names: readonly string[]): Loosen {
  const gone = names.flatMap((name) => PARAMETERS[name] ?? []);
  return (text) => gone.reduce((left: string | null, one) => left?.replace(one, "") ?? null, text);
}

/** A default without the casts that a change of its column's type puts around it. */
export const withoutCasts: Loosen = (text) =>
  text?.replaceAll(/::(?:[a-z_]+\.)?[a-z_ ]+(?:\([\d, ]+\))?(?:\[\])*/gi, "").replaceAll(/[()]/g, "") ?? null;

/** Row level security as enabled or not, but for being forced; and the other way round. */
export const withoutEnabled: Loosen = (text) => (text?.startsWith("FORCE") === true ? "FORCE" : null);
export const withoutForced: Loosen = (text) =>
  text === "FORCE" ? null : (text?.replace(/^FORCE /, "") ?? null);
