/** The lessons: their list, the text of the current one, and its buttons. */
import { get, post } from "./api.js";
import { byId, element, setText } from "./element.js";

/** @typedef {import("../lesson_state.ts").LessonsState} LessonsState */
/** @typedef {import("../lesson_state.ts").LessonAnswer} LessonAnswer */
/** @typedef {import("../lesson_state.ts").ListedLesson} ListedLesson */
/** @typedef {import("../../lesson/markdown.ts").Block} Block */
/** @typedef {import("../../lesson/markdown.ts").Span} Span */

/** What a learner may ask for, and what is said meanwhile. */
const BUTTONS = /** @type {const} */ ([
  ["check", "Check", "Measuring, which takes up to 12 s …"],
  ["hint", "Hint", ""],
  ["solve", "Solve", ""],
  ["reset", "Reset", ""],
  ["next", "Next lesson", ""],
]);

const WORDS = { held: "✓", broken: "✗", unknown: "?" };

/** Fills the section of the lessons. */
export function makeLessons() {
  const list = byId("lesson-list");
  const title = byId("lesson-title");
  const text = byId("lesson-text");
  const result = byId("lesson-result");
  const findings = byId("lesson-findings");
  const buttons = BUTTONS.map(([verb, words, meanwhile]) => {
    const button = element("button", { type: "button" }, words);
    button.addEventListener("click", async () => {
      const isDone = await ask({ do: verb }, button, meanwhile);
      if (isDone && verb === "next") title.focus();
    });
    return button;
  });
  byId("lesson-actions").append(...buttons);
  let shown = "";
  let isBusy = false;

  /** @param {LessonsState} state */
  const show = (state) => {
    const isNone = state.lessons.length === 0;
    byId("lessons").hidden = byId("lessons-link").hidden = isNone;
    const json = JSON.stringify(state);
    if (json === shown) return; // The focus stays where it is.
    shown = json;
    const focused = document.activeElement?.getAttribute("data-lesson");
    list.replaceChildren(...state.lessons.map(itemOf));
    const again = list.querySelector(`[data-lesson="${focused}"]`);
    if (again instanceof HTMLElement) again.focus();
    const current = state.lessons.find(({ isCurrent }) => isCurrent);
    byId("lesson-actions").hidden = current === undefined;
    if (current === undefined) return;
    setText(title, `${current.number}. ${current.title}`);
    text.replaceChildren(
      element(
        "p",
        { class: "hint" },
        "Your copy of envoy.yaml: ",
        element("code", {}, current.file),
      ),
      ...rendered(state.blocks),
      ...state.hints.map((hint, at) =>
        element("p", {}, `Hint ${at + 1}: ${hint}`)
      ),
    );
  };

  /** @param {ListedLesson} lesson */
  const itemOf = (lesson) => {
    const { number, name, isCurrent } = lesson;
    const button = element(
      "button",
      {
        type: "button",
        "data-lesson": name,
        ...(isCurrent ? { "aria-current": "true" } : {}),
      },
      `${number}. ${lesson.title}`,
    );
    button.addEventListener("click", async () => {
      if (await ask({ do: "start", name }, button, "")) title.focus();
    });
    const words = stateWords(lesson);
    return element(
      "li",
      {},
      button,
      element("span", { class: "hint" }, words),
    );
  };

  /**
   * @param {object} wish
   * @param {HTMLButtonElement} button That asks.
   * @param {string} meanwhile
   * @returns {Promise<boolean>} Whether it was done.
   */
  const ask = async (wish, button, meanwhile) => {
    if (isBusy) return false;
    isBusy = true;
    button.setAttribute("aria-busy", "true");
    tell(meanwhile, "", []);
    try {
      /** @type {LessonAnswer} */
      const answer = await post("/api/lesson", wish);
      show(answer.state);
      tell(answer.sentence, answer.verdict ?? "", answer.findings);
      return true;
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong", []);
      return false;
    } finally {
      isBusy = false;
      button.removeAttribute("aria-busy");
    }
  };

  /**
   * @param {string} sentence
   * @param {string} verdict
   * @param {LessonAnswer["findings"]} measured
   */
  const tell = (sentence, verdict, measured) => {
    setText(result, sentence);
    result.className = verdict;
    findings.replaceChildren(
      ...measured.map(({ verdict, text, measured }) =>
        element("li", {}, `${WORDS[verdict]} ${text}: ${measured}`)
      ),
    );
  };

  return {
    /** Looks how far the learner is, who may use the terminal, too. */
    async look() {
      if (isBusy) return;
      try {
        /** @type {LessonsState} */
        const state = await get("/api/lessons");
        show(state);
        if (state.notes.length > 0) tell(state.notes.join(" "), "", []);
      } catch (error) {
        tell(
          error instanceof Error ? error.message : String(error),
          "wrong",
          [],
        );
      }
    },
  };
}

/** @param {ListedLesson} lesson */
function stateWords({ isSolved, isShown, isStarted, minutes }) {
  if (isSolved) return isShown ? "✓ solved, after a look" : "✓ solved";
  return isStarted ? "started" : `${minutes} min`;
}

/**
 * Elements of a text; whatever it contains stays text.
 *
 * @param {readonly Block[]} blocks
 * @returns {HTMLElement[]}
 */
function rendered(blocks) {
  /** @type {HTMLElement[]} */
  const made = [];
  for (const block of blocks) {
    if (block.kind === "code") {
      made.push(
        element("pre", { tabindex: "0" }, element("code", {}, block.text)),
      );
    } else if (block.kind === "item") {
      const name = block.marker === "-" ? "ul" : "ol";
      let last = made.at(-1);
      if (last?.localName !== name) made.push(last = element(name));
      last.append(element("li", {}, ...block.spans.map(inline)));
    } else {
      const name = block.kind === "heading" ? "h4" : "p";
      made.push(element(name, {}, ...block.spans.map(inline)));
    }
  }
  return made;
}

/** @param {Span} span */
function inline({ kind, text, href = "" }) {
  if (kind === "code") return element("code", {}, text);
  if (kind === "strong") return element("strong", {}, text);
  return kind === "link" && /^https?:\/\//.test(href)
    ? element("a", { href, target: "_blank", rel: "noopener" }, text)
    : text;
}
