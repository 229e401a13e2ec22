/** Words of commands, as they are shown to people and written into scripts. */

/** A word as a POSIX shell reads it back. */
export function quote(word: string): string {
  return /^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
