/** The picture: callers, Envoy and servers, once for each listener. */
import { colourOf } from "./colours.js";
import { element, keepParts, setText, table } from "./element.js";
import { counted, isOut, unusual } from "./health.js";
import { connectionsByServer, RECENT_S, sharesOf } from "./recent.js";
import { makeStage } from "./stage.js";

/** @typedef {import("../../control/state.ts").State} State */
/** @typedef {import("../../control/state.ts").Second} Second */
/** @typedef {import("../../control/state.ts").CallsFrame} CallsFrame */
/** @typedef {import("../../control/state.ts").Listener} Listener */
/** @typedef {import("../../control/state.ts").LoadState} LoadState */
/** @typedef {import("./recent.js").Shares} Shares */

const LISTENERS = /** @type {const} */ (["l7", "l4"]);

const TITLES = {
  l7: "Each call is balanced",
  l4: "Each connection is pinned",
};

/** The load that a button offers while there is none. */
const RATE_OFFERED = 60;

/** Shares this close, in percent, are called even. */
const EVEN_PERCENT = 3;

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} shares The table's `<details>`.
 * @param {(load: Partial<LoadState>) => void} send
 */
export function makePicture(box, shares, send) {
  const panels = { l7: makePanel("l7", send), l4: makePanel("l4", send) };
  box.append(panels.l7.box, panels.l4.box);
  let given = 0;
  let total = 0;
  /** @type {State | undefined} */
  let known;
  /** @type {readonly Second[]} */
  let seconds = [];
  const fillTable = () => {
    const place = shares.querySelector(".scrolled");
    if (!shares.hasAttribute("open") || known === undefined) return;
    place?.replaceChildren(sharesTable(known, seconds));
  };
  shares.addEventListener("toggle", fillTable);
  return {
    panels: LISTENERS.map((listener) => panels[listener]),
    /** @param {State} state */
    showState(state) {
      known = state;
      for (const listener of LISTENERS) panels[listener].showState(state);
    },
    /** @param {readonly Second[]} latest */
    showSeconds(latest) {
      seconds = latest;
      for (const listener of LISTENERS) {
        panels[listener].showSeconds(seconds);
        setText(
          panels[listener].drawn,
          total > given
            ? `1 of ${Math.round(total / given)} calls is drawn`
            : "",
        );
      }
      given = 0;
      total = 0;
      fillTable();
    },
    /** @param {CallsFrame} frame */
    showCalls({ calls, total: all, streams }) {
      given += calls.length;
      total += all;
      for (const listener of LISTENERS) {
        const here = calls.filter((call) => call.listener === listener);
        panels[listener].showCalls(here, streams[listener]);
      }
    },
  };
}

/**
 * @param {Listener} listener
 * @param {(load: Partial<LoadState>) => void} send
 */
function makePanel(listener, send) {
  const endpoint = element("code");
  const now = element("p", { class: "now", id: `now-${listener}` });
  const drawn = element("span", { class: "drawn" });
  const lost = element("span", { class: "wrong", id: `lost-${listener}` });
  const connections = element("span");
  const callers = element(
    "div",
    { class: "node callers" },
    element("b", {}, "Callers"),
    connections,
  );
  const rowList = element("ol", {
    class: "rows",
    "aria-label": `Servers by answers through ${listener.toUpperCase()}`,
  });
  const offer = element("button", {
    type: "button",
    id: `send-${listener}`,
    class: "primary",
  });
  const unloaded = element(
    "div",
    { class: "unloaded", hidden: "" },
    element("p", {}, "No calls are sent here."),
    offer,
  );
  const stageBox = element(
    "div",
    { class: "stage" },
    callers,
    element(
      "div",
      { class: "node envoy" },
      element("b", {}, "Envoy"),
      element("span", {}, listener === "l7" ? "per call" : "per connection"),
    ),
    rowList,
  );
  const stage = makeStage(stageBox);
  stageBox.append(unloaded);
  const box = element(
    "article",
    {
      ...{ class: "panel", id: `panel-${listener}`, "data-listener": listener },
      "aria-label": `${listener.toUpperCase()}: ${TITLES[listener]}`,
    },
    element(
      "div",
      { class: "panel-head" },
      element(
        "h3",
        {},
        element("b", {}, listener.toUpperCase()),
        element("span", {}, TITLES[listener]),
      ),
      endpoint,
    ),
    now,
    stageBox,
    element("p", { class: "foot" }, lost, drawn),
  );

  /** @type {Map<string, ReturnType<typeof makeRow>>} */
  const rows = new Map();
  /** @type {State | undefined} */
  let known;
  /** @type {readonly Second[]} */
  let seconds = [];
  /** @type {{ atMs: number, lost: number }[]} */
  let losses = [];
  let lastStatus = "";
  let routesKey = "";

  const showRoutes = () => {
    if (known === undefined) return;
    const { load, servers } = known;
    const isPinned = listener === "l4";
    const pins = isPinned
      ? connectionsByServer(load.connections, seconds, listener)
      : [];
    const out = servers.filter((server) => isOut(server, listener))
      .map(({ name }) => name);
    const key = JSON.stringify([load.connections, pins, out, [...rows.keys()]]);
    if (key === routesKey) return;
    routesKey = key;
    stage.route({
      connections: load.connections,
      isPinned,
      pins,
      out: new Set(out),
    });
  };

  offer.addEventListener("click", () => {
    const isSending = (known?.load.ratePerS ?? 0) > 0;
    send(
      isSending
        ? { listeners: LISTENERS }
        : { listeners: [listener], ratePerS: RATE_OFFERED },
    );
  });

  return {
    box,
    drawn,
    stage,
    /** @param {State} state */
    showState(state) {
      known = state;
      const { load, servers, ledgers, atMs } = state;
      setText(endpoint, state.endpoints[listener]);
      setText(connections, counted(load.connections, "connection"));
      const isLoaded = load.ratePerS > 0 && load.listeners.includes(listener);
      unloaded.hidden = isLoaded;
      box.classList.toggle("is-unloaded", !isLoaded);
      setText(
        offer,
        load.ratePerS > 0
          ? `Send the same ${counted(load.ratePerS, "call")} a second here`
          : `Send ${RATE_OFFERED} calls a second`,
      );
      const names = servers.map(({ name }) => name);
      if (keepParts(rowList, rows, names, makeRow.bind(null, listener))) {
        stageBox.style.setProperty("--servers", String(names.length));
        stage.layOut();
      }
      for (const server of servers) {
        rows.get(server.name)?.showState(server, atMs);
      }
      losses.push({ atMs, lost: ledgers.lost[listener] });
      losses = losses.filter((one) => one.atMs >= atMs - RECENT_S * 1000);
      const count = ledgers.lost[listener] - (losses[0]?.lost ?? 0);
      setText(
        lost,
        count > 0
          ? `${count} lost in ${RECENT_S} s ${lastStatus && `(${lastStatus})`}`
          : "",
      );
      showRoutes();
    },
    /** @param {readonly Second[]} latest */
    showSeconds(latest) {
      seconds = latest;
      const shares = sharesOf(seconds, listener);
      for (const [name, row] of rows) {
        row.showShare(shares.answers.get(name) ?? 0, shares);
      }
      setText(
        now,
        known === undefined ? "" : sentence(known, shares),
      );
      showRoutes();
    },
    /**
     * @param {CallsFrame["calls"]} calls
     * @param {Readonly<Record<string, number>>} streams
     */
    showCalls(calls, streams) {
      const failed = calls.findLast(({ status }) => status !== "OK");
      if (failed) lastStatus = `${failed.status} ${failed.flags}`.trim();
      for (const [name, row] of rows) {
        row.showStreams(streams[name] ?? 0);
        row.count(
          calls.filter(({ status, servers }) =>
            status === "OK" && servers.at(-1) === name
          ).length,
        );
      }
      stage.show(calls, streams);
    },
    layOut() {
      stage.layOut();
    },
  };
}

/**
 * @param {Listener} listener
 * @param {string} name
 */
function makeRow(listener, name) {
  const word = element("span", { class: "word" });
  const streams = element("span", { class: "threads" });
  const share = element("span", {
    class: "share",
    id: `share-${listener}-${name}`,
  }, "–");
  const answered = element("span", { class: "answered" });
  const bar = element("span", { class: "bar" });
  const box = element(
    "li",
    { class: "row", "data-server": name, "data-colour": colourOf(name) },
    element(
      "div",
      { class: "row-body" },
      element("span", { class: "name" }, name),
      element("span", { class: "words" }, word, streams, answered),
      share,
      element("span", { class: "track", "aria-hidden": "true" }, bar),
    ),
  );
  let counter = 0;
  return {
    box,
    /**
     * @param {import("../../control/state.ts").ServerState} server
     * @param {number} nowMs
     */
    showState(server, nowMs) {
      setText(word, unusual(server, listener, nowMs));
      box.classList.toggle("is-out", isOut(server, listener));
      box.classList.toggle("is-paused", server.process === "paused");
    },
    /**
     * @param {number} count
     * @param {Shares} shares
     */
    showShare(count, { total }) {
      const percent = total === 0 ? 0 : count / total * 100;
      setText(share, total === 0 ? "–" : `${Math.round(percent)} %`);
      box.classList.toggle("is-idle", total > 0 && count === 0);
      bar.style.transform = `scaleX(${percent / 100})`;
    },
    /** @param {number} count */
    showStreams(count) {
      setText(streams, count === 0 ? "" : counted(count, "open stream"));
    },
    /**
     * Calls that were answered, for those who see no dots.
     *
     * @param {number} calls
     */
    count(calls) {
      counter += calls;
      if (counter > 0) setText(answered, `${counter} seen`);
    },
  };
}

/**
 * What can be seen, in a sentence.
 *
 * @param {State} state
 * @param {Shares} shares
 * @returns {string}
 */
function sentence({ load }, { total, answers, seconds }) {
  const connections = counted(load.connections, "connection");
  if (total === 0) return "No answers in the last seconds";
  const rate = Math.round(total / seconds);
  const calls = counted(Math.max(rate, 1), "answer");
  const start = `${connections}, ${calls} a second`;
  const parts = [...answers].filter(([, count]) => count > 0);
  const [first] = parts;
  if (parts.length === 1 && first) return `${start}: all from ${first[0]}`;
  const percents = parts.map(([, count]) => count / total * 100);
  const isEven = Math.max(...percents) - Math.min(...percents) <= EVEN_PERCENT;
  const how = isEven ? "evenly " : "";
  return `${start}: ${how}from ${parts.length} servers`;
}

/**
 * @param {State} state
 * @param {readonly Second[]} seconds
 */
function sharesTable({ servers }, seconds) {
  const l7 = sharesOf(seconds, "l7");
  const l4 = sharesOf(seconds, "l4");
  /**
   * @param {Shares} shares
   * @param {string} name
   */
  const cells = ({ total, answers }, name) => {
    const count = answers.get(name) ?? 0;
    return [
      total === 0 ? "–" : `${Math.round(count / total * 100)} %`,
      String(count),
    ];
  };
  return table(
    `The last ${RECENT_S} seconds`,
    ["server", "L7 share", "L7 answers", "L4 share", "L4 answers"],
    servers.map(({ name }) => [name, ...cells(l7, name), ...cells(l4, name)]),
  );
}
