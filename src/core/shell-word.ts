/** A word as a POSIX shell takes it: as it stands where nothing in it means something to the shell, in single quotes otherwise. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
