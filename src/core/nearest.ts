/** Guesses which word was meant. */

/**
 * The number of letters to add, remove, change or swap with their neighbour to
 * turn one word into the other.
 */
export function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const cell = (row: number, column: number) =>
    rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= a.length; row += 1) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] &&
        a[row - 2] === b[column - 1];
      rows[row]?.push(Math.min(
        cell(row - 1, column) + 1,
        cell(row, column - 1) + 1,
        cell(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwapped ? cell(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      ));
    }
  }
  return cell(a.length, b.length);
}

/** Words further apart, or by half their letters, are unrelated. */
const DISTANCE_MAX = 2;

/**
 * The word of `known` that `word` most likely stands for: the one with the
 * smallest edit distance, up to two, or else one that begins like it.
 */
export function nearest(
  word: string,
  known: readonly string[],
): string | undefined {
  const [best] = known
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .filter(({ distance }) =>
      distance <= DISTANCE_MAX && 2 * distance <= word.length
    )
    .sort((a, b) => a.distance - b.distance);
  return best?.name ??
    known.find((name) =>
      word !== "" && (name.startsWith(word) || word.startsWith(name))
    );
}
