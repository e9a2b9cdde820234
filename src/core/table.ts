/** Plain text tables. */

/**
 * Aligned columns, two spaces apart; numbers to the right.
 *
 * @param head The columns' titles.
 * @param rows Cells as text; a column of only numbers and bounds, with or
 * without a unit, and dashes is aligned to the right.
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const columns = head.map((title, column) => {
    const cells = rows.map((row) => row[column] ?? "");
    return {
      width: Math.max(title.length, ...cells.map((cell) => cell.length)),
      isNumeric: cells.length > 0 &&
        cells.every((cell) => /^(<=? )?[-+]?[\d.]*( \S+)?$/.test(cell)),
    };
  });
  return [head, ...rows].map((row) =>
    columns
      .map(({ width, isNumeric }, column) => {
        const cell = row[column] ?? "";
        return isNumeric ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd()
  );
}
