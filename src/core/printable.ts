/** Text of others, made harmless for a terminal and for line-based logs. */

/**
 * What is no text: control characters, with which a line can be forged, its
 * beginning erased or the terminal driven; and the marks that turn the reading
 * direction, with which a line can be shown in another order.
 */
const NO_TEXT =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * The text with everything that is no text escaped: ESC becomes `\x1b`. Tabs
 * stay.
 */
export function printable(text: string): string {
  return text.replace(NO_TEXT, (character) => {
    const hex = character.charCodeAt(0).toString(16);
    return hex.length <= 2
      ? `\\x${hex.padStart(2, "0")}`
      : `\\u${hex.padStart(4, "0")}`;
  });
}
