/** "Did you mean …", for every layer: the known name that is most like one that is not known. */

/** Long words cost quadratic time and have no near name. */
const LONGEST = 100;
/** A match of a name's ending counts a little less than one of the whole name. */
const OF_ENDING = 0.5;
/** A word of at least so many letters that begins a name may be meant for it. */
const LEAST_BEGINNING = 3;
/** The share of the letters that may differ, of the longer of two names. */
const MOST_DIFFERENT = 0.4;

/**
 * Optimal string alignment distance: the fewest insertions, deletions and substitutions of a character, and swaps of two
 * neighbours, that lead from a to b.
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          last[column - 1]! + (isSame ? 0 : 1),
          last[column]! + 1,
          current[column - 1]! + 1,
          isSwap ? beforeLast[column - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}

/** How far a word is from a name, in letters; infinite where nobody would take the one for the other. */
function distanceTo(word: string, name: string): number {
  const distance = editDistance(word, name);
  if (distance <= Math.max(1, MOST_DIFFERENT * Math.max(word.length, name.length))) return distance;
  const isBeginning = word.length >= LEAST_BEGINNING && name.startsWith(word);
  return isBeginning ? distance : Number.POSITIVE_INFINITY;
}

/**
 * The candidate most like `word`; undefined where none is like it. A dotted candidate is also compared by its last parts, so that
 * "iterations" finds "distil.iterations".
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.slice(0, LONGEST).toLowerCase();
  const parts = wanted.split('.').length;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const name = candidate.toLowerCase();
    const ending = name.split('.').slice(-parts).join('.');
    const distance = Math.min(distanceTo(wanted, name), distanceTo(wanted, ending) + OF_ENDING);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** " Did you mean X?", to be put behind a sentence; empty where no candidate is like the word. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const name = nearest(word, candidates);
  return name === undefined ? '' : ` Did you mean ${name}?`;
}
