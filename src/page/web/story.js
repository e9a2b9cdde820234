/** What was asked for and what happened, and whether the counts agree. */
import { element, setText } from "./element.js";

/** @typedef {import("../../control/state.ts").StoryState} StoryState */
/** @typedef {import("../../control/state.ts").Ledgers} Ledgers */

const STORIES_MAX = 500;

const WHO = { page: "page", keys: "keyboard", ctl: "ctl" };

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/**
 * @param {number} atMs
 * @returns {string} The time of day.
 */
export function timeOfDay(atMs) {
  return clock.format(atMs);
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} latest The newest, where all see it.
 * @param {HTMLElement} told The newest, to be heard at its beginning and end.
 */
export function makeStories(list, latest, told) {
  /** @type {Map<number, StoryState>} */
  const known = new Map();
  /** @type {Map<number, HTMLElement>} */
  const items = new Map();

  /** @param {StoryState} story */
  const show = (story) => {
    const isNew = !known.has(story.id);
    known.set(story.id, story);
    const item = itemOf(story);
    if (isNew) list.prepend(item);
    else items.get(story.id)?.replaceWith(item);
    items.set(story.id, item);
    const oldest = known.keys().next().value;
    if (known.size > STORIES_MAX && oldest !== undefined) {
      known.delete(oldest);
      items.get(oldest)?.remove();
      items.delete(oldest);
    }
  };

  return {
    /** @param {readonly StoryState[]} stories */
    showAll(stories) {
      known.clear();
      items.clear();
      list.replaceChildren();
      for (const story of [...stories].sort((a, b) => a.id - b.id)) show(story);
      const newest = [...known.values()].at(-1);
      if (newest) setText(latest, line(newest));
    },
    /** @param {StoryState} story */
    show(story) {
      const isNew = !known.has(story.id);
      show(story);
      setText(latest, line(story));
      if (isNew || !story.isOpen) setText(told, story.text);
    },
    /** @returns {StoryState[]} */
    all: () => [...known.values()],
  };
}

/** @param {StoryState} story */
function line({ atMs, text }) {
  return `${timeOfDay(atMs)}  ${text}`;
}

/** @param {StoryState} story */
function itemOf({ id, atMs, who, text, isOpen }) {
  const meta = element(
    "p",
    { class: "meta" },
    element(
      "time",
      { datetime: new Date(atMs).toISOString() },
      timeOfDay(atMs),
    ),
    element("span", { title: "Its mark in the curves" }, String(id)),
  );
  if (who !== "") {
    const name = WHO[/** @type {keyof typeof WHO} */ (who)] ?? who;
    meta.append(element("span", { class: "who" }, name));
  }
  if (isOpen) {
    const label = { role: "img", "aria-label": "going on" };
    meta.append(element("span", { class: "progress", ...label }));
  }
  return element(
    "li",
    { "data-story": String(id), "data-open": String(isOpen) },
    meta,
    element("p", {}, text),
  );
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} verdict
 */
export function makeLedgers(box, verdict) {
  const parts = {
    callers: column("callers", "Callers have ended"),
    envoy: column("envoy", "Envoy has counted at L7"),
    servers: column("servers", "Servers have started"),
  };
  box.append(...Object.values(parts).map(({ node }) => node));
  return {
    /** @param {Ledgers} ledgers */
    show(
      { callers, lost, envoy, envoyTries, servers, verdict: words, agrees },
    ) {
      setText(parts.callers.count, grouped(callers.l7 + callers.l4));
      setText(
        parts.callers.about,
        `L7 ${grouped(callers.l7)}, lost ${grouped(lost.l7)}; ` +
          `L4 ${grouped(callers.l4)}, lost ${grouped(lost.l4)}`,
      );
      setText(parts.envoy.count, grouped(envoy));
      setText(
        parts.envoy.about,
        `${grouped(envoyTries)} tries sent to servers`,
      );
      setText(parts.servers.count, grouped(servers));
      setText(parts.servers.about, "through L7 and L4");
      setText(verdict, words);
      verdict.dataset["agrees"] = String(agrees);
    },
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function column(name, text) {
  const count = element("b", { id: `ledger-${name}` });
  const about = element("span", { class: "about" });
  const node = element(
    "div",
    { class: "count" },
    element("span", {}, text),
    count,
    about,
  );
  return { node, count, about };
}

const numbers = new Intl.NumberFormat("en");

/** @param {number} count */
function grouped(count) {
  return numbers.format(count);
}
