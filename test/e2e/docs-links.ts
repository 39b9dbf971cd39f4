import { posix } from "node:path";

const LINK = /(?<!!)\[(?:[^\]]|\\\])*\]\(([^)\s]+)\)/g;

/**
 * Links of pages to files that do not exist, or to headings that their page does not have.
 * @param pages text by path; @param files every path of the repository.
 */
export function brokenLinks(pages: ReadonlyMap<string, string>, files: readonly string[]): readonly string[] {
  const known = new Set(files.flatMap((path) => [path, ...foldersOf(path)]));
  const broken: string[] = [];
  for (const [path, text] of pages) {
    for (const [, link = ""] of withoutCode(text).matchAll(LINK)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : posix.join(posix.dirname(path), file).replace(/\/$/, "");
      const heading = anchor === undefined || anchorsOf(pages.get(target) ?? "").includes(anchor);
      if (!known.has(target) || !heading) broken.push(`${path}: ${link}`);
    }
  }
  return broken;
}

function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/<!--[^]*?-->/g, "");
}

/** The anchors of a page's headings, as the usual hosts make them. */
function anchorsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}
