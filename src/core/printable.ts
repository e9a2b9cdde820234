/** Makes untrusted text safe to print. */

/** Longest name of a server that is shown; ours have at most 63 characters. */
const NAME_UNITS_MAX = 100;

/** Longest explanation that is shown. */
const DETAILS_UNITS_MAX = 500;

/**
 * Makes a peer's text safe for one line of a terminal: invisible characters are
 * escaped, as in "\u{1b}". Control characters could forge lines, move the
 * cursor or reach the clipboard, and bidirectional ones could disguise a line.
 *
 * @param unitsMax The most UTF-16 units of `text` to keep; "…" replaces the
 * rest.
 */
export function printable(text: string, unitsMax: number): string {
  const kept = text.length > unitsMax ? `${text.slice(0, unitsMax)}…` : text;
  return kept.replace(
    // Not a character class: k6 does not support "\p{C}" in one.
    /\p{C}|\p{Zl}|\p{Zp}/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** A server's name as a peer gives it, safe to print. */
export function printableName(name: string): string {
  return printable(name, NAME_UNITS_MAX);
}

/** A peer's explanation, safe to print. */
export function printableDetails(details: string): string {
  return printable(details, DETAILS_UNITS_MAX);
}
