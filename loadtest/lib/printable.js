// Text of servers, made fit to be printed.

/** Explanations and names are cut here. */
const CHARACTERS_MAX = 200;

/**
 * Text of a peer for one line of a terminal: what is not plain ASCII is
 * written as "?", since it could move the cursor or forge a line. k6 knows no
 * `\p{C}`, by which src/core/printable.ts tells more exactly.
 */
export function printable(text) {
  return text.slice(0, CHARACTERS_MAX).replace(/[^ -~]/g, "?");
}
