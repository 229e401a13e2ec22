/** "Did you mean …": the nearest known name to one that is not known. */

/** Levenshtein distance: the fewest single-character insertions, deletions and substitutions from a to b. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

/**
 * The candidate nearest to `word`. A dotted candidate is also compared by its last parts, so that
 * "iterations" finds "distil.iterations".
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  // Long words cost quadratic time and have no near name.
  const wanted = word.slice(0, 100).toLowerCase();
  const parts = wanted.split('.').length;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const name = candidate.toLowerCase();
    const ending = name.split('.').slice(-parts).join('.');
    // A whole match beats a match of the ending.
    const distance = Math.min(editDistance(wanted, name), editDistance(wanted, ending) + 0.5);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
