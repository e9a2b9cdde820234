/** Envoy's figures beside the configuration that governs them; protections. */
import { element, keepParts, setText } from "./element.js";

/** @typedef {import("../../control/state.ts").State} State */
/** @typedef {import("../../control/state.ts").EnvoyState} EnvoyState */
/** @typedef {import("../../control/state.ts").ConfigExcerpt} ConfigExcerpt */
/** @typedef {import("../../control/state.ts").ProtectionState} Protection */
/** @typedef {import("../../control/actions.ts").Action} Action */
/** @typedef {(action: Action, button: HTMLButtonElement) =>
 * Promise<boolean>} Asker */

/**
 * Figures in the order in which they are shown, and when they are wrong.
 *
 * @type {readonly (readonly [keyof EnvoyState, string,
 * (envoy: EnvoyState) => string, (envoy: EnvoyState) => boolean])[]}
 */
const FIGURES = [
  [
    "healthy",
    "healthy",
    ({ healthy, total }) => `${healthy} of ${total}`,
    ({ healthy, total }) => healthy < total,
  ],
  [
    "isPanicking",
    "panic",
    ({ isPanicking }) => isPanicking ? "yes" : "no",
    ({ isPanicking }) => isPanicking,
  ],
  [
    "ejectionsActive",
    "ejected now",
    ({ ejectionsActive }) => String(ejectionsActive),
    ({ ejectionsActive }) => ejectionsActive > 0,
  ],
  ["ejections", "ejections", ({ ejections }) => String(ejections), no],
  [
    "openBreakers",
    "open breakers",
    ({ openBreakers }) => openBreakers.join(", ") || "none",
    ({ openBreakers }) => openBreakers.length > 0,
  ],
  ["overflows", "overflows", ({ overflows }) => String(overflows), no],
  ["retries", "retries", ({ retries }) => String(retries), no],
  [
    "retriesAllowed",
    "retries allowed at once",
    ({ retriesAllowed }) => String(retriesAllowed),
    no,
  ],
  [
    "retriesLeft",
    "retries left now",
    ({ retriesLeft }) => leftText(retriesLeft),
    no,
  ],
  [
    "retriesOverBudget",
    "retries over budget",
    ({ retriesOverBudget }) => String(retriesOverBudget),
    no,
  ],
];

/** Characters of a figure that are too many for large type. */
const LONG = 9;

/**
 * An exact number, or the bounds of one that Envoy does not publish.
 *
 * @param {EnvoyState["retriesLeft"]} left
 */
function leftText({ min, max }) {
  return min === max ? String(max) : `${min} to ${max}`;
}

function no() {
  return false;
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} place Where an excerpt is shown.
 */
export function makeFigures(box, place) {
  /** @type {readonly ConfigExcerpt[]} */
  let excerpts = [];
  /** The figure whose lines are shown. @type {keyof EnvoyState | undefined} */
  let opened;
  const parts = FIGURES.map(([figure, text, value, isWrong]) => {
    const shown = element("b", { id: `envoy-${figure}` });
    const button = element(
      "button",
      {
        type: "button",
        class: "figure",
        "data-figure": figure,
        "aria-pressed": "false",
        "aria-controls": place.id,
      },
      shown,
      element("span", {}, text),
    );
    button.addEventListener("click", () => open(figure));
    return { figure, button, shown, value, isWrong };
  });
  box.append(...parts.map(({ button }) => button));

  /** @param {keyof EnvoyState} figure */
  const open = (figure) => {
    const excerpt = excerpts.find((one) => one.figure === figure);
    opened = figure;
    for (const part of parts) {
      const isOpen = part.figure === figure && excerpt !== undefined;
      part.button.setAttribute("aria-pressed", String(isOpen));
    }
    place.replaceChildren(
      excerpt === undefined
        ? element("p", {}, "No line of the configuration governs it.")
        : listing(excerpt),
    );
  };

  return {
    /** @param {readonly ConfigExcerpt[]} latest */
    showExcerpts(latest) {
      excerpts = latest;
      for (const { figure, button } of parts) {
        button.disabled = !excerpts.some((one) => one.figure === figure);
      }
      const figure = opened ?? excerpts[0]?.figure;
      if (figure !== undefined) open(figure);
    },
    /** @param {EnvoyState} envoy */
    show(envoy) {
      box.classList.toggle("is-stale", !envoy.isLive);
      for (const { button, shown, value, isWrong } of parts) {
        setText(shown, value(envoy));
        shown.classList.toggle("is-long", value(envoy).length > LONG);
        button.classList.toggle("is-wrong", isWrong(envoy));
      }
    },
  };
}

/** @param {ConfigExcerpt} excerpt */
function listing({ file, line, text, instead }) {
  const title = `${file}, from line ${line}`;
  return element(
    "figure",
    { "aria-label": title },
    element("figcaption", {}, title),
    ...(instead === null ? [code(text, line)] : [
      element(
        "p",
        { class: "wrong" },
        instead === ""
          ? "Protections are switched: Envoy has nothing of this now."
          : "Protections are switched: Envoy has this in place of those lines.",
      ),
      ...(instead === "" ? [] : [code(instead)]),
      element("p", {}, "The lines of the file, not in force:"),
      code(text, line),
    ]),
  );
}

/**
 * @param {string} text YAML.
 * @param {number} [first] The number of the first line; none has one without.
 */
function code(text, first) {
  const lines = text.replace(/\n$/, "").split("\n");
  const indent = Math.min(
    ...lines.filter((one) => one.trim() !== "")
      .map((one) => one.length - one.trimStart().length),
  );
  return element(
    "pre",
    {
      ...{ tabindex: "0", role: "group" },
      "aria-label": first === undefined ? "What Envoy has" : "Its lines",
    },
    ...lines.map((one, index) => {
      const { code, comment } = parted(one.slice(indent));
      return element(
        "span",
        { class: "code-line" },
        element(
          "span",
          { class: "line-number", "aria-hidden": "true" },
          first === undefined ? "" : String(first + index),
        ),
        element("code", {}, code, element("i", {}, comment)),
        "\n",
      );
    }),
  );
}

/**
 * A line of YAML and the comment that ends it.
 *
 * @param {string} line
 */
function parted(line) {
  const start = line.search(/(^|\s)#/);
  return start === -1
    ? { code: line, comment: "" }
    : { code: line.slice(0, start), comment: line.slice(start) };
}

/**
 * @param {HTMLElement} list
 * @param {Asker} asker
 */
export function makeProtections(list, asker) {
  /** @type {Map<string, ReturnType<typeof makeSwitch>>} */
  const parts = new Map();
  return {
    /** @param {State} state */
    show({ protections, busy }) {
      const ids = protections.map(({ id }) => id);
      keepParts(list, parts, ids, (id) => makeSwitch(id, asker));
      for (const protection of protections) {
        parts.get(protection.id)?.show(protection, busy);
      }
    },
  };
}

/**
 * @param {string} id
 * @param {Asker} asker
 */
function makeSwitch(id, asker) {
  const title = element("b");
  const about = element("span", { id: `about-${id}` });
  const word = element("span", { class: "word", "aria-hidden": "true" });
  const button = element(
    "button",
    {
      type: "button",
      role: "switch",
      class: "switch",
      id: `protection-${id}`,
      "data-protection": id,
      "aria-describedby": about.id,
    },
    element("span", { class: "knob", "aria-hidden": "true" }),
    title,
    word,
  );
  let isOn = true;
  button.addEventListener("click", () => {
    // Still a button while the stack is busy: a disabled one loses the focus.
    if (button.getAttribute("aria-disabled") === "true") return;
    asker({ do: "protect", id, isOn: !isOn }, button);
  });
  return {
    box: element("li", {}, button, about),
    /**
     * @param {Protection} protection
     * @param {string} busy
     */
    show(protection, busy) {
      isOn = protection.isOn;
      setText(title, protection.title);
      setText(about, protection.about);
      setText(word, isOn ? "on" : "off");
      button.setAttribute("aria-checked", String(isOn));
      button.setAttribute("aria-disabled", String(busy !== ""));
    },
  };
}
