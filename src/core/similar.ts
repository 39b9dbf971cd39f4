const MOST = 3;

/**
 * The words a mistyped one probably stands for, best first, at most three. Case, `-` and `_` do not count. A word is near when at
 * most about a third of its letters differ (an edit is a letter more, less, other, or swapped with its neighbour), or when it
 * begins with what was typed.
 */
export function similar(typed: string, words: Iterable<string>): string[] {
  const wanted = plain(typed);
  const found: { readonly word: string; readonly score: number }[] = [];
  for (const word of new Set(words)) {
    const score = scoreOf(wanted, plain(word));
    if (score !== null) found.push({ word, score });
  }
  const best = found.reduce((least, { score }) => Math.min(least, score), Infinity);
  return found
    .filter(({ score }) => score <= best + 1)
    .sort((a, b) => a.score - b.score || (a.word < b.word ? -1 : 1))
    .slice(0, MOST)
    .map(({ word }) => word);
}

/** The word that a mistyped one most likely stands for; null when nothing is near. */
export function closest(typed: string, words: Iterable<string>): string | null {
  return similar(typed, words)[0] ?? null;
}

/** A hint for a mistyped word: `did you mean …?`, or what `otherwise` says. */
export function didYouMean(typed: string, words: Iterable<string>, otherwise: string): string {
  const guess = closest(typed, words);
  return guess === null ? otherwise : `did you mean \`${guess}\`?`;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}

/** The less the nearer; null: not near. */
function scoreOf(wanted: string, candidate: string): number | null {
  // The beginning of a word is a better sign than a few letters that differ.
  if (wanted.length >= 2 && candidate.startsWith(wanted)) return 0;
  const limit = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
  if (Math.abs(wanted.length - candidate.length) > limit) return null;
  const distance = editDistance(wanted, candidate, limit);
  return distance <= limit && distance < candidate.length ? distance : null;
}

/** Edits that turn one word into the other; more than `limit` are not counted further. */
function editDistance(a: string, b: string, limit: number): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  let smallestBefore = 0;
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforePrevious[j - 2]! + 1);
      current.push(cost);
      smallest = Math.min(smallest, cost);
    }
    // A swap looks two rows back, so one row above the limit does not yet decide.
    if (smallest > limit && smallestBefore > limit) return limit + 1;
    smallestBefore = smallest;
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
