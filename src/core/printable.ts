/** Text of strangers, made fit to be printed. */

/** Longest name of a server that is shown; ours have at most 63 characters. */
const NAME_UNITS_MAX = 100;

/** Longest explanation that is shown. */
const DETAILS_UNITS_MAX = 500;

/**
 * Makes text of a peer fit for one line of a terminal: what is no visible
 * character is written as "\u{1b}", as a control character could forge lines,
 * move the cursor or reach the clipboard, and one that turns the direction of
 * writing could make a line read as another.
 *
 * @param unitsMax The most UTF-16 units of `text` that are kept; "…" stands
 * for the rest.
 */
export function printable(text: string, unitsMax: number): string {
  const kept = text.length > unitsMax ? `${text.slice(0, unitsMax)}…` : text;
  return kept.replace(
    // No class of characters: k6 finds no "\p{C}" within one.
    /\p{C}|\p{Zl}|\p{Zp}/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** A server's name as a peer tells it, fit to be printed. */
export function printableName(name: string): string {
  return printable(name, NAME_UNITS_MAX);
}

/** An explanation of a peer's, fit to be printed. */
export function printableDetails(details: string): string {
  return printable(details, DETAILS_UNITS_MAX);
}
