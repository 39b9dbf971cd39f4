/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
      }
    }
    before = last;
    last = row;
  }
  return last[to.length]!;
}

/**
 * The words a mistyped one probably stands for, best first, at most three.
 * A word counts when at most about a third of it differs, or when one begins with the other.
 */
export function didYouMean(typed: string, words: Iterable<string>): string[] {
  const wanted = typed.toLowerCase();
  const bare = wanted.replace(/^-+/, "");
  const found: { word: string; score: number }[] = [];
  for (const word of new Set(words)) {
    const candidate = word.toLowerCase();
    const bareCandidate = candidate.replace(/^-+/, "");
    const score = distance(bare, bareCandidate);
    const limit = Math.max(1, Math.floor(Math.max(bare.length, bareCandidate.length) * 0.4));
    // The beginning of a word is a better sign than a few letters that differ.
    if (bare.length >= 2 && bareCandidate.startsWith(bare)) found.push({ word, score: 0 });
    else if (score <= limit && score < bareCandidate.length) found.push({ word, score });
    else if (bareCandidate.length >= 2 && bare.startsWith(bareCandidate)) found.push({ word, score });
  }
  const best = Math.min(...found.map(({ score }) => score));
  return found
    .filter(({ score }) => score <= best + 1)
    .sort((a, b) => a.score - b.score || (a.word < b.word ? -1 : 1))
    .slice(0, 3)
    .map(({ word }) => word);
}

/** `did you mean "up"?`, or undefined where nothing comes near. */
export function suggestion(typed: string, words: Iterable<string>): string | undefined {
  const found = didYouMean(typed, words);
  if (found.length === 0) return undefined;
  return `did you mean ${found.map((word) => `\`${word}\``).join(" or ")}?`;
}
