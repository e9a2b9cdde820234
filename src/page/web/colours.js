/** One colour for each server, the same wherever it is shown. */

/** How many the look has; later servers begin again with the first. */
const COLOURS = 10;

/** @type {Map<string, string>} */
const read = new Map();

/**
 * The number of a server's colour: the number that its name ends with, as
 * `serverColour` of src/core/look.ts has it.
 *
 * @param {string} server
 * @returns {string} For `data-colour`, from "1".
 */
export function colourOf(server) {
  const number = Number(/\d+$/.exec(server)?.[0] ?? 1);
  return String((Math.max(number, 1) - 1) % COLOURS + 1);
}

/**
 * A colour of the look as a canvas needs it.
 *
 * @param {string} name For example "server-1" or "wrong".
 * @returns {string}
 */
export function colour(name) {
  const known = read.get(name);
  if (known !== undefined) return known;
  const style = getComputedStyle(document.documentElement);
  const value = style.getPropertyValue(`--${name}`).trim();
  read.set(name, value);
  return value;
}

const NEXT = { auto: "light", light: "dark", dark: "auto" };

/**
 * The switch between light and dark; what was chosen is kept.
 *
 * @param {HTMLElement} button
 * @param {() => void} changed Whoever has drawn with colours draws again.
 */
export function switchTheme(button, changed) {
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  /** @param {string} theme */
  const show = (theme) => {
    document.documentElement.dataset["theme"] = theme === "auto"
      ? (isDark.matches ? "dark" : "light")
      : theme;
    button.textContent = `Theme: ${theme}`;
    read.clear();
    changed();
  };
  const current = () => {
    const theme = localStorage.getItem("theme");
    return theme === "light" || theme === "dark" ? theme : "auto";
  };
  button.addEventListener("click", () => {
    localStorage.setItem("theme", NEXT[current()]);
    show(current());
  });
  isDark.addEventListener("change", () => show(current()));
  show(current());
}
