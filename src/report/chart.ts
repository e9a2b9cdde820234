/** Charts over time, as pictures that need no script; pure. */
import { serverColour } from "../core/look.ts";
import { box, element, type Html } from "../core/page.ts";
import type { Charts } from "./model.ts";

/** A chart: what is drawn, how, and on which scales. */
export interface Chart {
  readonly title: string;
  /** Curves by name; null where nothing is known. */
  readonly lines: Charts["perServer" | "latencyMs"];
  /** The colour of a curve, as CSS has it. */
  readonly colour: (name: string, index: number) => string;
  /** Areas upon each other, curves, or curves in steps. */
  readonly shape: "areas" | "curves" | "steps";
  readonly seconds: readonly number[];
  readonly marks: Charts["marks"];
  /** The ends of both scales, so that charts beside each other are alike. */
  readonly endS: number;
  readonly max: number;
}

/** Colours of curves, by what they are of. */
export const COLOURS = {
  server: (name: string) => `var(--server-${serverColour(name)})`,
  /** Calls that are lost are red, unless that is what is shown. */
  failed: (isControl: boolean) => (name: string, index: number) =>
    name.startsWith("lost")
      ? isControl ? "var(--ink)" : `var(--wrong-${index % 5 + 1})`
      : index % 2 === 0
      ? "var(--edge)"
      : "var(--quiet)",
  // A name of a record may be anything, and does not become CSS.
  latency: (name: string) =>
    ["p50", "p90", "p99"].includes(name) ? `var(--${name})` : "var(--edge)",
  health: (name: string) => name === "all" ? "var(--edge)" : "var(--accent)",
} as const;

/** Where a scale that ends at `max` has its words: at most five steps of it. */
export function ticksOf(max: number): readonly number[] {
  const rough = Math.max(max, 1e-9) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 2.5, 5].find((by) => by * unit >= rough) ?? 10);
  const count = Math.floor(max / step + 1e-9) + 1;
  return Array.from(
    { length: count },
    (_, at) => Number((at * step).toFixed(6)),
  );
}

/** The highest value of a chart: of sums, where areas stand upon each other. */
export function highest(
  { lines, shape }: Pick<Chart, "lines" | "shape">,
): number {
  const all = Object.values(lines);
  const columns = (all[0] ?? []).map((_, at) =>
    all.map((values) => values[at] ?? 0)
  );
  return columns.reduce((max, column) =>
    Math.max(
      max,
      shape === "areas"
        ? column.reduce((sum, value) => sum + value, 0)
        : Math.max(...column),
    ), 0);
}

/** The picture is so wide and high, and then stretched to its place. */
const SIZE = 1000;

/** A chart as a picture. */
export function drawing(chart: Chart): Html {
  const { title, lines, colour, marks, endS, max } = chart;
  const x = (second: number) => Math.min(100, 100 * second / endS);
  const y = (value: number) => 100 * value / max;
  const place = (side: "left" | "bottom", percent: number) => ({
    style: `${side}: ${percent.toFixed(2)}%`,
  });
  const grid = ticksOf(max).map((at) =>
    path(`M0 ${point(SIZE - 10 * y(at))}H${SIZE}`, { stroke: "var(--line)" })
  );
  const bands = marks.flatMap(({ fromS, toS }) => [
    element("rect", {
      x: point(10 * x(fromS)),
      width: point(10 * (x(toS) - x(fromS))),
      height: SIZE,
      fill: "var(--ink)",
      opacity: ".07",
    }),
    path(`M${point(10 * x(fromS))} 0V${SIZE}`, {
      stroke: "var(--ink)",
      "stroke-dasharray": "4 4",
    }),
  ]);
  return element(
    "figure",
    { class: "chart" },
    element("figcaption", {}, title),
    element(
      "ul",
      { class: "legend" },
      ...Object.keys(lines).map((name, index) =>
        element(
          "li",
          {},
          element("i", {
            class: "chip",
            style: `background: ${colour(name, index)}`,
          }),
          name,
        )
      ),
      Object.keys(lines).length === 0 ? element("li", {}, "none") : "",
    ),
    element(
      "div",
      { class: "drawing", "aria-hidden": "true" },
      svg(...grid, ...curves(chart), ...bands),
      ...ticksOf(max).map((at) =>
        element("span", { class: "y", ...place("bottom", y(at)) }, at)
      ),
      ...ticksOf(endS).map((at) =>
        element("span", { class: "x", ...place("left", x(at)) }, `${at} s`)
      ),
      ...rowsOf(marks, endS / 25).map((row, index) =>
        element("b", {
          style: `left: ${x(marks[index]?.fromS ?? 0).toFixed(2)}%; ` +
            `top: ${row * 1.1}rem`,
        }, index + 1)
      ),
    ),
  );
}

/** A chart without its words, as small as one likes. */
export function sketch(chart: Chart): Html {
  return box("sketch", svg(...curves(chart)));
}

function svg(...children: readonly Html[]): Html {
  const viewBox = `0 0 ${SIZE} ${SIZE}`;
  const attributes = { viewBox, preserveAspectRatio: "none" };
  return element("svg", { ...attributes, "aria-hidden": "true" }, ...children);
}

/** The numbers of events close to each other stand below each other. */
function rowsOf(marks: Chart["marks"], closeS: number): readonly number[] {
  let row = 0;
  return marks.map(({ fromS }, at) => {
    const before = marks[at - 1]?.fromS ?? -Infinity;
    return row = Math.abs(fromS - before) < closeS ? (row + 1) % 6 : 0;
  });
}

function point(value: number): string {
  return String(Math.round(10 * value) / 10);
}

function path(d: string, parts: Readonly<Record<string, string>>): Html {
  return element("path", {
    d,
    fill: "none",
    "vector-effect": "non-scaling-stroke",
    ...parts,
  });
}

/** Curves, or areas that stand upon each other. */
function curves(chart: Chart): readonly Html[] {
  const { lines, colour, shape, seconds } = chart;
  const below = seconds.map(() => 0);
  return Object.entries(lines).flatMap(([name, values], index) => {
    const color = colour(name, index);
    if (shape !== "areas") {
      return runsOf(chart, values).map((points) =>
        path(`M${points.join("L")}`, { stroke: color, "stroke-width": "2.5" })
      );
    }
    const bottom = values.map((value, at) => value === null ? null : below[at]);
    const top = values.map((value, at) =>
      value === null ? null : below[at] = (below[at] ?? 0) + value
    );
    const floors = runsOf(chart, bottom);
    return runsOf(chart, top).map((points, at) =>
      path(`M${[...points, ...[...floors[at] ?? []].reverse()].join("L")}Z`, {
        fill: color,
        stroke: "var(--paper)",
      })
    );
  });
}

/** The points of a curve, apart where it has none, out to its intervals' ends. */
function runsOf(
  { seconds, endS, max, shape }: Chart,
  values: readonly (number | null | undefined)[],
): readonly (readonly string[])[] {
  const half = seconds[0] ?? 0;
  const runs: string[][] = [];
  let isOpen = false;
  values.forEach((value, at) => {
    if (typeof value !== "number") return isOpen = false;
    const second = seconds[at] ?? 0;
    const pointAt = (atS: number) =>
      `${point(Math.min(SIZE, SIZE * atS / endS))} ${
        point(SIZE - SIZE * value / max)
      }`;
    if (!isOpen) runs.push([pointAt(second - half)]);
    isOpen = true;
    const isLast = typeof values[at + 1] !== "number";
    const run = runs.at(-1) ?? [];
    if (shape === "steps") run.push(pointAt(second - half));
    run.push(pointAt(shape === "steps" ? second + half : second));
    if (isLast) run.push(pointAt(second + half));
    return true;
  });
  return runs;
}

/** What a page of charts has beside the look. */
export const CHART_STYLE = `
.drawing { position: relative; height: 9rem; margin: 0.3rem 1rem 1.8rem 3rem; }
.sketch { position: relative; width: 11rem; height: 2.4rem; }
.drawing svg, .sketch svg { position: absolute; width: 100%; height: 100%; }
.drawing span { position: absolute; font-size: 0.8rem; line-height: 1;
  color: var(--quiet); white-space: nowrap; }
.drawing .y { right: 100%; padding-right: 0.5rem; translate: 0 50%; }
.drawing .x { top: 100%; padding-top: 0.5rem; translate: -50% 0; }
.drawing b { position: absolute; padding: 0 0.2rem; font-size: 0.8rem;
  background: color-mix(in srgb, var(--paper) 75%, transparent);
  line-height: 1.2; }
`;
