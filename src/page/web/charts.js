/** The last five minutes as curves, and as tables. */
import { colour, colourOf } from "./colours.js";
import { element, setText, table } from "./element.js";
import { KEPT_S } from "./recent.js";
import { timeOfDay } from "./story.js";

/** @typedef {import("../../control/state.ts").Second} Second */
/** @typedef {import("../../control/state.ts").Listener} Listener */
/** @typedef {import("../../control/state.ts").StoryState} StoryState */
/** @typedef {import("uplot")} Plot */

/** Comes with /uplot.js. @type {typeof import("uplot")} */
const UPlot = Reflect.get(globalThis, "uPlot");

/** While there is less, curves begin at the left. */
const SHOWN_S_MIN = 60;

const HEIGHT_REM = 12;

/** Errors beyond these kinds are one curve. */
const KINDS_MAX = 5;

/**
 * @typedef {object} Chart
 * @property {string} id
 * @property {string} title
 * @property {boolean} isStacked
 * @property {(seconds: readonly Second[]) => string[]} names Of its curves.
 * @property {(second: Second, name: string) => number | null} value
 * @property {(name: string, index: number) => string} colour
 */

/** @type {readonly Chart[]} */
const CHARTS = [
  answers("l7"),
  answers("l4"),
  latency("l7"),
  latency("l4"),
  {
    id: "errors",
    title: "Lost calls a second, by status and response flags",
    isStacked: true,
    names: (seconds) => {
      const all = namesIn(seconds.map(({ errors }) => errors));
      return all.length > KINDS_MAX
        ? [...all.slice(0, KINDS_MAX - 1), "others"]
        : all;
    },
    value: ({ errors }, name) => errors[name] ?? 0,
    colour: (_, index) => colour(`wrong-${index + 1}`),
  },
  {
    id: "retries",
    title: "Retries and overflows a second",
    isStacked: false,
    names: () => ["retries", "overflows"],
    value: (second, name) =>
      name === "retries" ? second.retries : second.overflows,
    colour: (name) => colour(name === "retries" ? "ink" : "wrong"),
  },
];

/**
 * @param {Listener} listener
 * @returns {Chart}
 */
function answers(listener) {
  return {
    id: `answers-${listener}`,
    title: `${listener.toUpperCase()}: answers a second, by server`,
    isStacked: true,
    names: (seconds) =>
      namesIn(seconds.map((second) => second.answers[listener])),
    value: (second, name) => second.answers[listener][name] ?? 0,
    colour: (name) => colour(`server-${colourOf(name)}`),
  };
}

/**
 * @param {Listener} listener
 * @returns {Chart}
 */
function latency(listener) {
  return {
    id: `latency-${listener}`,
    title: `${listener.toUpperCase()}: latency, ms`,
    isStacked: false,
    names: () => ["p50", "p90", "p99"],
    value: ({ latencyMs }, name) =>
      latencyMs[listener]?.[/** @type {"p50" | "p90" | "p99"} */ (name)] ??
        null,
    colour: (name) => colour(name),
  };
}

const byNumber = new Intl.Collator("en", { numeric: true });

/** @param {readonly Readonly<Record<string, number>>[]} records */
function namesIn(records) {
  return [...new Set(records.flatMap(Object.keys))].sort(byNumber.compare);
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} controls
 * @param {() => readonly StoryState[]} stories Those that are marked.
 */
export function makeCharts(box, controls, stories) {
  /** @type {readonly Second[]} */
  let latest = [];
  /** What is looked at; undefined while the curves go on. @type {readonly Second[] | undefined} */
  let frozen;
  /** @type {readonly [fromS: number, toS: number] | undefined} */
  let zoomed;

  const pause = element("button", { type: "button", id: "time-pause" });
  const whole = element(
    "button",
    { type: "button", id: "time-whole" },
    "Whole time",
  );
  const minute = element(
    "button",
    { type: "button", id: "time-minute" },
    "Last minute",
  );
  const words = element("span", { class: "hint" });
  controls.append(pause, minute, whole, words);

  /** @returns {readonly [fromS: number, toS: number]} */
  const range = () => {
    const seconds = frozen ?? latest;
    const toS = (seconds.at(-1)?.atMs ?? 0) / 1000;
    const fromS = (seconds[0]?.atMs ?? 0) / 1000;
    return zoomed ?? [
      Math.min(Math.max(fromS, toS - KEPT_S), toS - SHOWN_S_MIN),
      toS,
    ];
  };

  /** @param {number} fromS @param {number} toS */
  const zoom = (fromS, toS) => {
    frozen ??= latest;
    zoomed = [fromS, toS];
    draw();
  };
  const live = () => {
    frozen = undefined;
    zoomed = undefined;
    draw();
  };
  const parts = CHARTS.map((chart) =>
    makeChart(chart, { zoom, live, stories })
  );
  box.append(...parts.map((part) => part.box));

  const draw = () => {
    const seconds = frozen ?? latest;
    setText(pause, frozen === undefined ? "Pause" : "Live");
    pause.classList.toggle("primary", frozen !== undefined);
    const at = seconds.at(-1)?.atMs;
    setText(
      words,
      frozen === undefined || at === undefined
        ? "Drag across a curve to zoom in; numbers are those of “What happened”"
        : `Paused at ${timeOfDay(at)}; what happens meanwhile is kept`,
    );
    for (const part of parts) part.show(seconds, range());
  };
  pause.addEventListener("click", () => {
    if (frozen !== undefined) return live();
    frozen = latest;
    draw();
  });
  whole.addEventListener("click", () => {
    zoomed = undefined;
    draw();
  });
  minute.addEventListener("click", () => {
    const toS = ((frozen ?? latest).at(-1)?.atMs ?? 0) / 1000;
    zoom(toS - SHOWN_S_MIN, toS);
  });

  return {
    /** @param {readonly Second[]} seconds */
    show(seconds) {
      latest = seconds;
      if (frozen === undefined && !document.hidden) draw();
    },
    /** Colours or sizes have changed. */
    redraw() {
      for (const part of parts) part.forget();
      draw();
    },
  };
}

/**
 * @param {Chart} chart
 * @param {{ zoom: (fromS: number, toS: number) => void, live: () => void,
 * stories: () => readonly StoryState[] }} context
 */
function makeChart(chart, { zoom, live, stories }) {
  const place = element("div", { class: "plot", "aria-hidden": "true" });
  const legend = element("ul", { class: "legend" });
  const tablePlace = element("div", { class: "scrolled" });
  const details = element(
    "details",
    {},
    element("summary", { "aria-label": `Table: ${chart.title}` }, "Table"),
    tablePlace,
  );
  const box = element(
    "figure",
    { class: "chart", id: `chart-${chart.id}`, "aria-label": chart.title },
    element("figcaption", {}, chart.title),
    legend,
    place,
    details,
  );
  /** @type {Plot | undefined} */
  let plot;
  let key = "";
  /** @type {readonly Second[]} */
  let shown = [];
  /** @type {string[]} */
  let names = [];
  /** @type {HTMLElement[]} */
  let values = [];

  // Read once: a table that changes while it is read out helps nobody.
  details.addEventListener("toggle", () => {
    if (!details.open) return tablePlace.replaceChildren();
    tablePlace.replaceChildren(
      table(
        `${chart.title}, newest first`,
        ["time", ...names],
        [...shown].reverse().map((second) => [
          timeOfDay(second.atMs),
          ...names.map((name) => text(chart.value(second, name))),
        ]),
      ),
    );
  });

  /** @param {number | null | undefined} index */
  const showValues = (index) => {
    const second = shown[index ?? shown.length - 1];
    names.forEach((name, at) => {
      const value = second === undefined ? null : chart.value(second, name);
      const node = values[at];
      if (node) setText(node, text(value));
    });
  };

  const build = () => {
    plot?.destroy();
    values = names.map(() => element("b"));
    legend.replaceChildren(
      ...names.map((name, index) => {
        const chip = element("i", { class: "chip" });
        chip.style.background = chart.colour(name, index);
        return element("li", {}, chip, `${name} `, values[index] ?? "");
      }),
    );
    if (names.length === 0) {
      legend.append(element("li", { class: "hint" }, "none"));
    }
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const font = `${Math.round(rem * 0.8)}px system-ui, sans-serif`;
    const axis = {
      font,
      stroke: colour("quiet"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
    };
    const order = names.map((name, index) => ({ name, index }));
    // The highest first: each area covers what is above it.
    if (chart.isStacked) order.reverse();
    /** @type {import("uplot").Options} */
    const options = {
      width: Math.max(place.clientWidth, 200),
      height: Math.round(rem * HEIGHT_REM),
      // The last time is wider than what is right of it.
      padding: [null, rem * 1.6, null, null],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: !chart.isStacked },
        drag: { x: true, y: false, setScale: false },
        sync: {
          key: "time",
          // Looked at together, but only the one that is dragged zooms.
          filters: { pub: (type) => /^mouse(move|leave)$/.test(type) },
        },
      },
      scales: { y: { range: (_, __, max) => [0, (max || 1) * 1.08] } },
      axes: [
        {
          ...axis,
          space: rem * 7,
          size: rem * 1.8,
          values: (_, splits) => splits.map((at) => timeOfDay(at * 1000)),
        },
        { ...axis, size: rem * 2.9, space: rem * 2.2 },
      ],
      series: [
        {},
        ...order.map(({ name, index }) => ({
          label: name,
          points: { show: false },
          ...(chart.isStacked
            ? {
              fill: chart.colour(name, index),
              stroke: colour("paper"),
              width: 1.5,
            }
            : { stroke: chart.colour(name, index), width: 2.5 }),
        })),
      ],
      hooks: {
        draw: [(drawn) => drawMarks(drawn, stories(), font)],
        setCursor: [(moved) => showValues(moved.cursor.idx)],
        setSelect: [(selected) => {
          const { left, width } = selected.select;
          if (width < 5) return;
          const from = selected.posToVal(left, "x");
          const to = selected.posToVal(left + width, "x");
          selected.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          zoom(from, to);
        }],
      },
    };
    plot = new UPlot(options, [[]], place);
    plot.over.addEventListener("dblclick", live);
  };

  new ResizeObserver(() => {
    const width = Math.max(place.clientWidth, 200);
    if (plot && plot.width !== width) {
      plot.setSize({ width, height: plot.height });
    }
  }).observe(place);

  return {
    box,
    /**
     * @param {readonly Second[]} seconds
     * @param {readonly [fromS: number, toS: number]} range
     */
    show(seconds, [min, max]) {
      shown = seconds;
      names = chart.names(seconds);
      const wanted = names.join();
      if (plot === undefined || wanted !== key) build();
      key = wanted;
      plot?.batch(() => {
        plot?.setData(dataOf(chart, names, seconds), false);
        plot?.setScale("x", { min, max });
      });
      showValues(plot?.cursor.idx);
    },
    forget() {
      plot?.destroy();
      plot = undefined;
    },
  };
}

/**
 * @param {Chart} chart
 * @param {readonly string[]} names
 * @param {readonly Second[]} seconds
 * @returns {import("uplot").AlignedData}
 */
function dataOf(chart, names, seconds) {
  const times = seconds.map(({ atMs }) => atMs / 1000);
  const curves = names.map((name) =>
    seconds.map((second) => chart.value(second, name))
  );
  if (!chart.isStacked) return [times, ...curves];
  const below = times.map(() => 0);
  const stacked = curves.map((curve) =>
    curve.map((value, at) => below[at] = (below[at] ?? 0) + (value ?? 0))
  );
  return [times, ...stacked.reverse()];
}

/**
 * Draws a line for each story, and its number.
 *
 * @param {Plot} plot
 * @param {readonly StoryState[]} stories
 * @param {string} font
 */
function drawMarks(plot, stories, font) {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales["x"] ?? {};
  const px = parseFloat(font) * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colour("ink");
  ctx.strokeStyle = colour("ink");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.font = `600 ${px}px system-ui, sans-serif`;
  let wordsEnd = 0;
  for (const { id, atMs } of stories) {
    const at = atMs / 1000;
    if (at < (min ?? 0) || at > (max ?? 0)) continue;
    const x = plot.valToPos(at, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (x < wordsEnd) continue;
    ctx.fillText(String(id), x + px / 4, bbox.top + px);
    wordsEnd = x + px / 4 + ctx.measureText(String(id)).width;
  }
  ctx.restore();
}

/** @param {number | null} value */
function text(value) {
  if (value === null) return "–";
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
