/** A card for each server: what it is, and what can be done to it. */
import { colourOf } from "./colours.js";
import { element, keepParts, setText } from "./element.js";
import {
  counted,
  envoyWord,
  FAULT_WORDS,
  faultWord,
  secondsLeft,
} from "./health.js";
import { RECENT_S, sharesOf } from "./recent.js";

/** @typedef {import("../../control/state.ts").State} State */
/** @typedef {import("../../control/state.ts").ServerState} ServerState */
/** @typedef {import("../../control/state.ts").Second} Second */
/** @typedef {import("../../control/actions.ts").Action} Action */
/** @typedef {(action: Action, button: HTMLButtonElement) =>
 * Promise<boolean>} Asker */

const FAULT_S = 15;
const FAULT_S_MAX = 600;
const SLOW_MS = 200;

const OF_SHARES = `Its share of the answers of the last ${RECENT_S} seconds`;
const OF_LATENCY =
  `Of the calls of the page's own callers in the last ${RECENT_S} seconds`;

/**
 * @param {string} server
 * @param {string} kind
 * @param {number} [seconds]
 * @returns {Action}
 */
function faultOf(server, kind, seconds = FAULT_S) {
  const fault = {
    kind: /** @type {import("../../core/fault.ts").FaultKind} */ (kind),
    durationMs: seconds * 1000,
    ...(kind === "delay" ? { delayMs: SLOW_MS } : {}),
    ...(kind === "health" ? { isServing: false } : {}),
  };
  return { do: "fault", server, fault };
}

/**
 * What each button asks for.
 *
 * @type {Readonly<Record<string, readonly [label: string, about: string,
 * action: (server: string) => Action]>>}
 */
const ACTIONS = {
  kill: [
    "Kill -9",
    "End its process at once, as kill -9 does",
    (server) => ({ do: "kill", server }),
  ],
  terminate: [
    "Terminate",
    "Ask its process to finish its calls and end (SIGTERM)",
    (server) => ({ do: "terminate", server }),
  ],
  pause: [
    "Pause",
    "Freeze its process: connections stay open and nothing answers",
    (server) => ({ do: "pause", server }),
  ],
  resume: [
    "Resume",
    "Let its process go on",
    (server) => ({ do: "resume", server }),
  ],
  restart: [
    "Restart",
    "End its process, if there is one, and start another",
    (server) => ({ do: "restart", server }),
  ],
  slow: [
    "Slow",
    `Answer ${SLOW_MS} ms later, for ${FAULT_S} s`,
    (server) => faultOf(server, "delay"),
  ],
  fail: [
    "Fail",
    `Answer calls with UNAVAILABLE, for ${FAULT_S} s`,
    (server) => faultOf(server, "status"),
  ],
  unhealthy: [
    "Unhealthy",
    `Fail health checks but answer calls, for ${FAULT_S} s`,
    (server) => faultOf(server, "health"),
  ],
  clear: [
    "Clear",
    "End all of its faults",
    (server) => ({ do: "clear", server }),
  ],
};

/**
 * @param {HTMLElement} scale
 * @param {HTMLElement} cards
 * @param {Asker} asker
 */
export function makeServers(scale, cards, asker) {
  const count = element("output", { id: "server-count" });
  const fewer = scaleButton("−", "Remove the last server", "scale-down");
  const more = scaleButton("+", "Add a server", "scale-up");
  scale.append(fewer, count, more);
  let servers = 0;
  let max = 1;
  /** Counts on while the stack is still at it; undefined: what there is. @type {number | undefined} */
  let wanted;
  /**
   * @param {HTMLButtonElement} button
   * @param {number} step
   */
  const scaleBy = async (button, step) => {
    wanted = Math.min(Math.max((wanted ?? servers) + step, 1), max);
    const isAccepted = await asker({ do: "scale", count: wanted }, button);
    if (!isAccepted) wanted = undefined;
  };
  fewer.addEventListener("click", () => scaleBy(fewer, -1));
  more.addEventListener("click", () => scaleBy(more, 1));

  /** @type {Map<string, ReturnType<typeof makeCard>>} */
  const parts = new Map();
  return {
    /** @param {State} state */
    showState(state) {
      servers = state.servers.length;
      max = state.serversMax;
      if (servers === wanted) wanted = undefined;
      setText(count, counted(servers, "server"));
      fewer.disabled = servers <= 1;
      more.disabled = servers >= max;
      const names = state.servers.map(({ name }) => name);
      keepParts(cards, parts, names, (name) => makeCard(name, asker));
      for (const server of state.servers) {
        parts.get(server.name)?.showState(server, state.atMs);
      }
    },
    /** @param {readonly Second[]} seconds */
    showSeconds(seconds) {
      const l7 = sharesOf(seconds, "l7");
      const l4 = sharesOf(seconds, "l4");
      for (const [name, card] of parts) {
        const counts = [l7, l4].map(({ answers }) => answers.get(name) ?? 0);
        const percents = [l7, l4].map(({ total }, at) =>
          total === 0 ? "–" : `${Math.round((counts[at] ?? 0) / total * 100)} %`
        );
        const rate = counts.reduce((sum, one) => sum + one, 0) /
          Math.max(l7.seconds, 1);
        card.showShares(percents, rate);
      }
    },
  };
}

/**
 * @param {string} text
 * @param {string} label
 * @param {string} id
 */
function scaleButton(text, label, id) {
  return element(
    "button",
    { type: "button", id, "aria-label": label, title: label },
    text,
  );
}

/**
 * @param {string} name
 * @param {Asker} asker
 */
function makeCard(name, asker) {
  const address = element("code");
  const facts = {
    l7: element("dd"),
    l4: element("dd"),
    rate: element("dd"),
    active: element("dd"),
    p50: element("dd"),
    p99: element("dd"),
    process: element("dd"),
    envoy: element("dd"),
  };
  const faults = element("p", { class: "faults" });
  /** @param {string} action */
  const makeButton = (action) => {
    const button = element("button", {
      type: "button",
      "data-server": name,
    });
    label(button, name, action);
    button.addEventListener("click", () => {
      const chosen = ACTIONS[button.dataset["action"] ?? ""];
      if (chosen) asker(chosen[2](name), button);
    });
    return button;
  };
  // One button pauses and resumes, so that it keeps the focus.
  const pause = makeButton("pause");
  const clear = makeButton("clear");
  const title = element("h3", { id: `card-${name}` }, name);
  const box = element(
    "article",
    {
      class: "card",
      "data-server": name,
      "data-colour": colourOf(name),
      "aria-labelledby": `card-${name}`,
    },
    element("div", { class: "card-head" }, title, address),
    element(
      "dl",
      { class: "facts" },
      fact("L7", facts.l7, { about: OF_SHARES }),
      fact("L4", facts.l4, { about: OF_SHARES }),
      fact("calls/s", facts.rate),
      fact("active", facts.active),
      fact("latency p50", facts.p50, { kind: "wide", about: OF_LATENCY }),
      fact("latency p99", facts.p99, { kind: "wide", about: OF_LATENCY }),
      fact("process", facts.process, { kind: "wide" }),
      fact("Envoy", facts.envoy, { kind: "wide" }),
    ),
    faults,
    element(
      "div",
      { class: "buttons" },
      makeButton("kill"),
      makeButton("terminate"),
      pause,
      makeButton("restart"),
      makeButton("slow"),
      makeButton("fail"),
      makeButton("unhealthy"),
      clear,
      ...makeFaultChoice(name, asker),
    ),
  );
  return {
    box,
    /**
     * @param {ServerState} server
     * @param {number} nowMs
     */
    showState(server, nowMs) {
      setText(address, server.address);
      setText(facts.active, String(server.active));
      setText(facts.p50, msText(server.latencyMs?.p50));
      setText(facts.p99, msText(server.latencyMs?.p99));
      setText(facts.process, server.process);
      setText(facts.envoy, envoyWord(server, nowMs));
      box.dataset["process"] = server.process;
      facts.process.classList.toggle("wrong", server.process === "stopped");
      facts.envoy.classList.toggle(
        "wrong",
        server.envoy === "ejected" || server.envoy === "failing checks",
      );
      setText(
        faults,
        server.faults.map(({ kind, untilMs }) =>
          `${faultWord(kind)}, ${secondsLeft(untilMs, nowMs)}`
        ).join(" · "),
      );
      label(pause, name, server.process === "paused" ? "resume" : "pause");
      clear.disabled = server.faults.length === 0;
    },
    /**
     * @param {readonly string[]} percents Through L7 and L4.
     * @param {number} rate Answers a second through both.
     */
    showShares([l7 = "–", l4 = "–"], rate) {
      setText(facts.l7, l7);
      setText(facts.l4, l4);
      setText(facts.rate, rate.toFixed(rate < 10 ? 1 : 0));
    },
  };
}

/**
 * Every fault, for as long as is wanted.
 *
 * @param {string} server
 * @param {Asker} asker
 */
function makeFaultChoice(server, asker) {
  const kind = element(
    "select",
    { "aria-label": `Fault of ${server}` },
    ...Object.entries(FAULT_WORDS).map(([value, text]) =>
      element("option", { value }, text)
    ),
  );
  const seconds = element("input", {
    ...{ type: "number", value: String(FAULT_S), step: "1" },
    ...{ min: "1", max: String(FAULT_S_MAX) },
    "aria-label": `Seconds that the fault of ${server} lasts`,
  });
  const button = element(
    "button",
    {
      ...{ type: "button", "data-server": server, "data-action": "fault" },
      "aria-label": `Start the fault of ${server}`,
    },
    "Start",
  );
  button.addEventListener("click", () => {
    asker(faultOf(server, kind.value, Number(seconds.value)), button);
  });
  return [kind, element("label", {}, seconds, "s"), button];
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} server
 * @param {string} action
 */
function label(button, server, action) {
  const [text = action, about = ""] = ACTIONS[action] ?? [];
  if (button.dataset["action"] === action) return;
  button.dataset["action"] = action;
  button.textContent = text;
  button.title = about;
  button.setAttribute("aria-label", `${text} ${server}: ${about}`);
}

/**
 * A latency; "–" while nobody has measured one.
 *
 * @param {number} [ms]
 */
function msText(ms) {
  return ms === undefined ? "–" : `${ms < 100 ? ms : Math.round(ms)} ms`;
}

/**
 * @param {string} term
 * @param {HTMLElement} value
 * @param {{ kind?: string, about?: string }} [how]
 */
function fact(term, value, { kind = "", about = "" } = {}) {
  value.title = about;
  return element("div", { class: kind }, element("dt", {}, term), value);
}
