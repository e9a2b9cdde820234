// Every script of the page is reached, and so checked, from here.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The live page: whatever the stack tells goes to those who show it. */
import { ask, listen } from "./api.js";
import { makeCharts } from "./charts.js";
import { switchTheme } from "./colours.js";
import { byId, element, setText } from "./element.js";
import { makeFigures, makeProtections } from "./envoy.js";
import { counted } from "./health.js";
import { makeLessons } from "./lesson.js";
import { makeLoad } from "./load.js";
import { makePicture } from "./picture.js";
import { withSecond } from "./recent.js";
import { makeServers } from "./servers.js";
import { makeLedgers, makeStories } from "./story.js";

/** @typedef {import("../../control/state.ts").State} State */
/** @typedef {import("../../control/state.ts").Second} Second */
/** @typedef {import("../../control/actions.ts").Action} Action */

/** After this silence nobody expects the stack to come back by itself. */
const ENDED_MS = 5000;

/** @type {readonly Second[]} */
let seconds = [];

/**
 * Asks for a change, and shows why if it is refused.
 *
 * @param {Action} action
 * @param {HTMLButtonElement} [button] That asks.
 * @returns {Promise<boolean>} Whether it was accepted.
 */
async function act(action, button) {
  button?.setAttribute("aria-busy", "true");
  const refusal = byId("refusal");
  try {
    await ask(action);
    refusal.replaceChildren();
    return true;
  } catch (error) {
    const close = element("button", { type: "button" }, "Close");
    close.addEventListener("click", () => refusal.replaceChildren());
    const words = error instanceof Error ? error.message : String(error);
    refusal.replaceChildren(element("p", {}, words), close);
    return false;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

const load = makeLoad(
  byId("load-form"),
  (changed) => act({ do: "load", load: changed }),
);
const picture = makePicture(
  byId("panels"),
  byId("shares"),
  (changed) => act({ do: "load", load: changed }),
);
const servers = makeServers(byId("scale"), byId("cards"), act);
const protections = makeProtections(byId("switches"), act);
const restart = /** @type {HTMLButtonElement} */ (byId("restart-envoy"));
restart.addEventListener("click", () => act({ do: "restart-envoy" }, restart));
const figures = makeFigures(byId("figures"), byId("excerpt"));
const ledgers = makeLedgers(byId("counts"), byId("verdict"));
const stories = makeStories(byId("stories"), byId("latest"), byId("told"));
const charts = makeCharts(byId("charts"), byId("time-controls"), stories.all);
const lessons = makeLessons();
addEventListener("focus", () => lessons.look());

/** @param {State} state */
function showState(state) {
  const { envoy, stack, busy } = state;
  const { healthy, total } = envoy;
  const out = total - healthy;
  setText(
    byId("summary"),
    !envoy.isLive
      ? "Envoy does not answer"
      : out === 0
      ? `${counted(total, "server")}, all healthy`
      : `${out} of ${counted(total, "server")} out`,
  );
  byId("summary").classList.toggle("wrong", !envoy.isLive || out > 0);
  document.title = `gRPC behind Envoy, ${stack}`;
  setText(byId("busy"), busy);
  byId("admin").setAttribute("href", state.adminUrl);
  load.show(state.load);
  picture.showState(state);
  servers.showState(state);
  protections.show(state);
  figures.show(envoy);
  ledgers.show(state.ledgers);
}

function showSeconds() {
  picture.showSeconds(seconds);
  servers.showSeconds(seconds);
  charts.show(seconds);
}

/** @param {number | null} silentMs */
function showLost(silentMs) {
  const banner = byId("connection");
  document.body.classList.toggle("is-lost", silentMs !== null);
  banner.hidden = silentMs === null;
  if (silentMs === null) return;
  setText(
    banner,
    silentMs < ENDED_MS
      ? "The connection to the stack is lost. Connecting again …"
      : "The stack has ended, or it is out of reach. What is shown is its " +
        "last state; this page connects again as soon as it answers.",
  );
}

listen({
  hello(hello) {
    seconds = hello.seconds;
    stories.showAll(hello.stories);
    figures.showExcerpts(hello.excerpts);
    showState(hello.state);
    showSeconds();
    lessons.look();
  },
  state: showState,
  second(second) {
    seconds = withSecond(seconds, second);
    showSeconds();
  },
  calls: picture.showCalls,
  story: stories.show,
  excerpts: figures.showExcerpts,
  end: () => showLost(ENDED_MS),
}, showLost);

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const motion = byId("motion");

/** @param {boolean} moves */
function setMotion(moves) {
  motion.setAttribute("aria-pressed", String(moves));
  motion.textContent = moves ? "Motion: on" : "Motion: off";
  document.body.classList.toggle("is-still", !moves);
  for (const { stage } of picture.panels) stage.setMotion(moves);
}
motion.addEventListener("click", () => {
  setMotion(motion.getAttribute("aria-pressed") !== "true");
});
reduced.addEventListener("change", () => setMotion(!reduced.matches));
setMotion(!reduced.matches);

switchTheme(byId("theme"), () => {
  charts.redraw();
  for (const panel of picture.panels) panel.layOut();
});
