/**
 * "Did you mean …?": the known word that is nearest to one that is not known.
 *
 * 1. Work is bounded whatever the word is: a longer one than any known word could be is nobody's mistyped word.
 * 2. Near means at most a third of the letters wrong, and never all of them.
 */

const LETTERS_PER_MISTAKE = 3;

/** The nearest of `known` (the first of several that are equally near), whatever the case of the letters. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  const given = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const limit = mistakesAllowed(Math.max(given.length, candidate.length));
    if (Math.abs(given.length - candidate.length) > limit) continue;
    const distance = editDistance(given, candidate.toLowerCase());
    if (distance > limit || distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** The end of a message that names an unknown word: empty when nothing known is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = suggestion(word, known);
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}

function mistakesAllowed(letters: number): number {
  return letters < 2 ? 0 : Math.max(1, Math.floor(letters / LETTERS_PER_MISTAKE));
}

/** Letters to insert, leave out, change, or swap with their neighbour until the words are the same. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let distance = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) distance = Math.min(distance, (beforeLast[column - 2] as number) + 1);
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] as number;
}
