/** What the stack's own callers send, and the controls that change it. */
import { element } from "./element.js";

/** @typedef {import("../../control/state.ts").LoadState} LoadState */
/** @typedef {import("../../control/state.ts").Listener} Listener */
/** @typedef {(load: Partial<LoadState>) => Promise<boolean>} Sender */

/** @type {readonly Listener[]} */
const BOTH = ["l7", "l4"];

/** @type {Readonly<Record<string, readonly [string, Partial<LoadState>]>>} */
const PRESETS = {
  slow: ["1 call a second", {
    ratePerS: 1,
    connections: 1,
    kind: "unary",
    workMs: 0,
  }],
  beside: ["L7 beside L4", {
    ratePerS: 60,
    connections: 1,
    kind: "unary",
    workMs: 0,
    listeners: BOTH,
  }],
  busy: ["Busy: 300 calls a second", {
    ratePerS: 300,
    connections: 4,
    kind: "unary",
    workMs: 0,
  }],
};

/**
 * @typedef {"ratePerS" | "connections" | "workMs" | "messageCharacters"} Amount
 */

/** @type {Readonly<Record<Amount, readonly [string, number, number]>>} */
const AMOUNTS = {
  ratePerS: ["Calls a second", 1, 500],
  connections: ["Connections", 1, 16],
  workMs: ["Work on a call, ms", 0, 1000],
  messageCharacters: ["Characters of a message", 1, 1024],
};

const KINDS = [
  ["unary", "Unary"],
  ["stream", "Stream"],
  ["chat", "Chat"],
];

const PLACES = [
  ["l7", "L7"],
  ["l4", "L4"],
  ["l7,l4", "Both"],
];

/**
 * @param {HTMLElement} box
 * @param {Sender} send
 */
export function makeLoad(box, send) {
  /** @type {LoadState | undefined} */
  let known;
  const amounts = Object.entries(AMOUNTS).map(([name, [text, min, max]]) =>
    amountOf(/** @type {Amount} */ (name), text, min, max, send)
  );
  const kinds = choice("kind", "Kind of call", KINDS, (kind) => {
    return send({ kind: /** @type {LoadState["kind"]} */ (kind) });
  });
  const places = choice("listeners", "Sent to", PLACES, (chosen) => {
    const listeners = /** @type {Listener[]} */ (chosen.split(","));
    return send({ listeners });
  });
  const stop = element("button", { type: "button", id: "stop", class: "stop" });
  stop.addEventListener("click", () => {
    const isRunning = (known?.ratePerS ?? 0) > 0;
    send({ ratePerS: isRunning ? 0 : amounts[0]?.value() ?? 1 });
  });
  const presets = Object.entries(PRESETS).map(([name, [text, load]]) => {
    const button = element(
      "button",
      { type: "button", "data-preset": name },
      text,
    );
    button.addEventListener("click", () => send(load));
    return button;
  });
  box.append(
    element("div", { class: "buttons presets" }, ...presets, stop),
    element("div", { class: "choices" }, places.box, kinds.box),
    element("div", { class: "amounts" }, ...amounts.map((one) => one.box)),
  );
  return {
    /** @param {LoadState} load */
    show(load) {
      known = load;
      for (const amount of amounts) amount.show(load);
      kinds.show(load.kind);
      places.show(BOTH.filter((one) => load.listeners.includes(one)).join());
      const isRunning = load.ratePerS > 0;
      stop.textContent = isRunning ? "Stop the load" : "Start the load";
      stop.classList.toggle("primary", !isRunning);
    },
  };
}

/**
 * A slider beside its number. It is the user's while it is moved, and the
 * stack's again when the stack has answered.
 *
 * @param {Amount} name
 * @param {string} text
 * @param {number} min
 * @param {number} max
 * @param {Sender} send
 */
function amountOf(name, text, min, max, send) {
  const limits = { min: String(min), max: String(max), step: "1" };
  const slider = element("input", { type: "range", id: name, ...limits });
  const number = element("input", {
    type: "number",
    id: `${name}-number`,
    "aria-label": `${text}, as a number`,
    ...limits,
  });
  let isHeld = false;
  const inputs = [slider, number];
  for (const input of inputs) {
    input.addEventListener("input", () => {
      isHeld = true;
      for (const other of inputs) {
        if (other !== input) other.value = input.value;
      }
    });
    input.addEventListener("change", async () => {
      const wanted = Math.round(Number(input.value));
      await send({ [name]: Math.min(Math.max(wanted, min), max) });
      isHeld = false;
    });
    input.addEventListener("blur", () => isHeld = false);
  }
  return {
    box: element(
      "div",
      { class: "amount" },
      element("label", { for: name }, text),
      slider,
      number,
    ),
    /** @param {LoadState} load */
    show(load) {
      const value = load[name];
      // A stopped load keeps the rate that it would start with.
      if (isHeld || (name === "ratePerS" && value === 0)) return;
      for (const input of inputs) input.value = String(value);
    },
    value: () => Number(slider.value),
  };
}

/**
 * @param {string} name
 * @param {string} text
 * @param {readonly (readonly string[])[]} options
 * @param {(value: string) => void} chosen
 */
function choice(name, text, options, chosen) {
  const inputs = options.map(([value = ""]) =>
    element("input", { type: "radio", name, value, id: `${name}-${value}` })
  );
  for (const input of inputs) {
    input.addEventListener("change", () => chosen(input.value));
  }
  return {
    box: element(
      "fieldset",
      { class: "choice" },
      element("legend", {}, text),
      ...inputs.flatMap((input, at) => [
        input,
        element("label", { for: input.id }, options[at]?.[1] ?? ""),
      ]),
    ),
    /** @param {string} value */
    show(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}
