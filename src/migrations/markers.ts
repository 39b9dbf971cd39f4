import type { Direction } from "../core/events.ts";
import type { LineComment } from "../sql/lexer.ts";
import type { SqlProblem } from "../sql/types.ts";
import { closest, didYouMean } from "../core/similar.ts";

/** A line `-- migrate:up` or `-- migrate:down`. */
export interface SectionMarker {
  readonly direction: Direction;
  /** What its option `transaction:` says; null without it. */
  readonly transaction: boolean | null;
  /** Offset of its comment in the text, in UTF-16 units. */
  readonly offset: number;
  /** Offset of the end of its line, before the line break. */
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** A line that divides a file, as dbmate reads it: at the start of a line, spaces after the dashes, options after the word. */
const MARKER = /^--\s*migrate:(up|down)(?:\s+(.*))?$/;
/** What was probably meant as one: another case, spacing, spelling or separator. */
const NEARLY = /^-+\s*(migrat\w*)\s*[:=_/-]\s*(\w+)(?:\s+(.*))?$/i;
const NEARLY_BARE = /^-+\s*(migrat\w*)\s+(\w+)$/i;
/** A line of its own that in other tools, or in a person's mind, begins a way back. */
const BARE_DOWN = /^-+[\s\W_]*(?:migrate\s+)?(down|rollback|undo|revert|downgrade)[\s\W_]*$/i;

/**
 * Finds the section markers among a file's comments.
 * @returns those that are right, in order, and what is wrong: misspelt ones, unknown options, duplicates, a wrong order.
 */
export function readMarkers(comments: readonly LineComment[]): {
  readonly markers: readonly SectionMarker[];
  readonly problems: readonly SqlProblem[];
} {
  const markers: SectionMarker[] = [];
  const problems: SqlProblem[] = [];
  for (const comment of comments) {
    const text = comment.text.trimEnd();
    const match = MARKER.exec(text);
    if (match === null) {
      const problem = misspelt(comment, text);
      if (problem !== null) problems.push(problem);
    } else if (!comment.ownLine || comment.column !== 1) {
      problems.push(
        at(comment, `\`${text}\` does not begin its line`, "put it at the start of a line of its own"),
      );
    } else {
      const direction: Direction = match[1] === "up" ? "up" : "down";
      const { transaction, problem } = readOptions(comment, match[2] ?? "");
      if (problem !== null) problems.push(problem);
      markers.push({
        direction,
        transaction,
        offset: comment.offset,
        end: comment.offset + comment.text.length,
        line: comment.line,
        column: comment.column,
      });
    }
  }
  return { markers, problems: [...problems, ...wrongOrder(markers)] };
}

/** For a file without markers: a line that reads like the start of a way back, which would be run as part of `up`. */
export function bareDown(comments: readonly LineComment[]): SqlProblem | null {
  for (const comment of comments) {
    const match = comment.ownLine ? BARE_DOWN.exec(comment.text.trimEnd()) : null;
    if (match === null) continue;
    return at(
      comment,
      `the file has no section markers, and this line looks like one: what follows it would be run by \`up\``,
      "write `-- migrate:up` at the top and `-- migrate:down` here, or reword the comment",
    );
  }
  return null;
}

function misspelt(comment: LineComment, text: string): SqlProblem | null {
  const match = NEARLY.exec(text) ?? (comment.ownLine ? NEARLY_BARE.exec(text) : null);
  if (match === null) return null;
  const word = match[2]!;
  const meant = closest(word, ["up", "down"]);
  const attached = /^--\s*migrate:\w/i.test(text);
  if (meant === null && !attached) return null;
  const options = match[3] === undefined ? "" : ` ${match[3]}`;
  return at(
    comment,
    `\`${text}\` is not a section marker`,
    meant === null
      ? "the markers are `-- migrate:up` and `-- migrate:down`"
      : `did you mean \`-- migrate:${meant}${options}\`?`,
  );
}

function readOptions(
  comment: LineComment,
  options: string,
): { readonly transaction: boolean | null; readonly problem: SqlProblem | null } {
  let transaction: boolean | null = null;
  for (const option of options.split(/\s+/).filter((word) => word !== "")) {
    if (option === "transaction:false" || option === "transaction:true") {
      transaction = option === "transaction:true";
      continue;
    }
    const hint = didYouMean(
      option,
      ["transaction:false", "transaction:true"],
      "the only option is `transaction:false`; put remarks on a line of their own",
    );
    return { transaction, problem: at(comment, `\`${option}\` is not an option of a section marker`, hint) };
  }
  return { transaction, problem: null };
}

function wrongOrder(markers: readonly SectionMarker[]): SqlProblem[] {
  const problems: SqlProblem[] = [];
  const seen = new Map<Direction, SectionMarker>();
  for (const marker of markers) {
    const first = seen.get(marker.direction);
    if (first !== undefined) {
      problems.push(
        at(
          marker,
          `a second \`-- migrate:${marker.direction}\`; the first one is in line ${first.line}`,
          "a file has one section for each direction: put their SQL together",
        ),
      );
    } else if (marker.direction === "up" && seen.has("down")) {
      problems.push(at(marker, "`-- migrate:up` comes after `-- migrate:down`", "put the up section first"));
    }
    seen.set(marker.direction, first ?? marker);
  }
  if (!seen.has("up") && seen.has("down")) {
    problems.push(
      at(
        seen.get("down")!,
        "the file has `-- migrate:down` but no `-- migrate:up`",
        "write `-- migrate:up` above the SQL that migrates",
      ),
    );
  }
  return problems;
}

function at(place: { line: number; column: number }, message: string, hint: string): SqlProblem {
  return { message, hint, line: place.line, column: place.column };
}
