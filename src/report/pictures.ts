/** The pictures of an experiment's runs, and their numbers. */
import {
  box,
  element,
  folded,
  type Html,
  rounded,
  table,
} from "../core/page.ts";
import { type Chart, COLOURS, drawing, highest, sketch } from "./chart.ts";
import type { RunModel } from "./model.ts";

type Picture = Pick<Chart, "title" | "shape"> & {
  readonly lines: (run: RunModel) => Chart["lines"];
  readonly colour: (run: RunModel) => Chart["colour"];
};

const PICTURES: readonly Picture[] = [
  {
    title: "Answers a second, by server",
    shape: "areas",
    lines: ({ charts }) => charts.perServer,
    colour: () => COLOURS.server,
  },
  {
    title: "Failed calls a second, by status",
    shape: "areas",
    lines: ({ charts }) => charts.errors,
    colour: ({ kind }) => COLOURS.failed(kind === "control"),
  },
  {
    title: "Latency of answered calls, ms",
    shape: "curves",
    // The longest of all is said beside; drawn, it would flatten the others.
    lines: ({ charts }) => {
      const { max: _, ...others } = charts.latencyMs;
      return others;
    },
    colour: () => COLOURS.latency,
  },
  {
    title: "Servers, as Envoy knows them",
    shape: "steps",
    lines: ({ charts }) => charts.servers,
    colour: () => COLOURS.health,
  },
];

/** Each run in a small picture: its answers, and upon them what failed. */
export function sketches(runs: readonly RunModel[]): readonly Html[] {
  const charts = runs.map(({ kind, charts }) => {
    const { perServer, errors } = charts;
    const failed = COLOURS.failed(kind === "control");
    return {
      ...charts,
      title: "",
      lines: { ...perServer, ...errors },
      shape: "areas" as const,
      colour: (name: string, index: number) =>
        Object.hasOwn(errors, name)
          ? failed(name, index)
          : COLOURS.server(name),
    };
  });
  const endS = endOf(runs);
  const max = Math.max(1, ...charts.map(highest));
  return charts.map((chart) => sketch({ ...chart, endS, max }));
}

/** Where the longer of the runs ends. */
function endOf(runs: readonly RunModel[]): number {
  return Math.max(
    ...runs.map(({ charts: { seconds } }) =>
      (seconds.at(-1) ?? 0) + (seconds[0] ?? 0)
    ),
  );
}

/** Each chart of both runs side by side, on the same scales. */
export function pictures(runs: readonly RunModel[]): readonly Html[] {
  const endS = endOf(runs);
  return PICTURES.flatMap(({ title, shape, lines, colour }) => {
    const max = Math.max(
      ...runs.map((run) => highest({ lines: lines(run), shape })),
    );
    if (max === 0) return [];
    const titleOf = ({ kind }: RunModel) =>
      kind === "control" ? `Control: ${lowered(title)}` : title;
    return [
      box(
        "pair",
        ...runs.map((run) =>
          drawing({
            title: titleOf(run),
            shape,
            lines: lines(run),
            colour: colour(run),
            seconds: run.charts.seconds,
            marks: run.charts.marks,
            endS,
            max: max * 1.08,
          })
        ),
      ),
      folded(
        `Table: ${lowered(title)}`,
        box(
          "pair",
          ...runs.map((run) =>
            box(
              "scrolled",
              element("p", { class: "hint" }, titleOf(run)),
              numbers(run.charts.seconds, lines(run)),
            )
          ),
        ),
      ),
    ];
  });
}

function lowered(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}

/** A chart's numbers. */
function numbers(
  seconds: Chart["seconds"],
  lines: Chart["lines"],
): Html {
  return table(
    ["s", ...Object.keys(lines)],
    seconds.map((second, at) => [
      second,
      ...Object.values(lines).map((values) => rounded(values[at])),
    ]),
  );
}
