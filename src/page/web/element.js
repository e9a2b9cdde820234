/** Elements of the page. What a server or a caller says stays text. */

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {readonly (Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/**
 * The element of page.html that has this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 * @throws {Error} If there is none.
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}"`);
  return found;
}

/**
 * Changes a text only if it is another one, so that nothing is laid out or
 * read aloud again for nothing.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A table of figures.
 *
 * @param {string} caption
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows The first cell names the row.
 * @returns {HTMLTableElement}
 */
export function table(caption, head, rows) {
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...head.map((text) => element("th", { scope: "col" }, text)),
      ),
    ),
    element(
      "tbody",
      {},
      ...rows.map(([first = "", ...others]) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, first),
          ...others.map((text) => element("td", {}, text)),
        )
      ),
    ),
  );
}

/**
 * Keeps one element for each name, in the names' order.
 *
 * @template {{ readonly box: HTMLElement }} Part
 * @param {HTMLElement} parent Holds these elements and nothing else.
 * @param {Map<string, Part>} parts Those that are there; changed.
 * @param {readonly string[]} names
 * @param {(name: string) => Part} make
 * @returns {boolean} Whether anything came or went.
 */
export function keepParts(parent, parts, names, make) {
  const known = [...parts.keys()];
  if (known.join() === names.join()) return false;
  for (const name of known.filter((name) => !names.includes(name))) {
    parts.get(name)?.box.remove();
    parts.delete(name);
  }
  for (const name of names) {
    const part = parts.get(name) ?? make(name);
    // Once more at the end: maps and parents keep the order of insertion.
    parts.delete(name);
    parts.set(name, part);
    if (part.box.parentNode !== parent) parent.append(part.box);
  }
  const isOrdered = names.every((name, index) =>
    parent.children[index] === parts.get(name)?.box
  );
  // Moving an element takes the focus from it.
  if (!isOrdered) { for (const { box } of parts.values()) parent.append(box); }
  return true;
}
