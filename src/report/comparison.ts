/** Compares two records of experiments side by side; pure. */
import { type Content, element, page, table, verdict } from "../core/page.ts";
import { tableLines } from "../core/table.ts";
import type { Verdict } from "../experiment/experiment.ts";
import type { Finding } from "../experiment/conduct.ts";
import type { ExperimentModel, ReportModel } from "./model.ts";

/** Two records, by the names of their runs. */
export interface Compared {
  readonly names: readonly [a: string, b: string];
  readonly models: readonly [a: ReportModel, b: ReportModel];
}

/** A table of a comparison. */
export interface ComparisonTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const SIDES = ["A", "B"] as const;

/** Stands for what one of the two does not have. */
const NONE = "-";

/** The experiments in both, in the order of the first. */
function pairsOf(
  { models: [a, b] }: Compared,
): readonly (readonly [ExperimentModel, ExperimentModel])[] {
  return a.experiments.flatMap((one) => {
    const other = b.experiments.find(({ name }) => name === one.name);
    return other === undefined ? [] : [[one, other] as const];
  });
}

/** Whether there is anything to compare. */
export function hasPairs(compared: Compared): boolean {
  return pairsOf(compared).length > 0;
}

/** Lists the experiments that only one side has, a line for each side. */
function onlyLines({ models }: Compared): readonly string[] {
  return SIDES.flatMap((side, index) => {
    const others = new Set(
      models[1 - index]?.experiments.map(({ name }) => name),
    );
    const only = (models[index]?.experiments ?? [])
      .map(({ name }) => name).filter((name) => !others.has(name));
    return only.length === 0 ? [] : [`Only in ${side}: ${only.join(", ")}`];
  });
}

/** Differences in what was run, and where. */
function differences({ models }: Compared): ComparisonTable["rows"] {
  const [a = {}, b = {}] = models.map(
    ({ info }): Readonly<Record<string, string>> => ({
      written: info.writtenAt,
      command: info.command,
      stack: info.stack,
      seed: String(info.seed),
      ...info.versions,
      ...info.machine,
    }),
  );
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map((name) => [name, a[name] ?? NONE, b[name] ?? NONE])
    .filter(([, one, other]) => one !== other);
}

function numberRow({ name, verdict, runs: [run] }: ExperimentModel) {
  const { p50, p99 } = run?.latencyMs ?? {};
  return [
    name,
    verdict,
    ...[run?.calls, run?.failedAsMeant, run?.lost].map((count) =>
      String(count ?? NONE)
    ),
    ...[p50, p99].map((valueMs) => valueMs?.toFixed(1) ?? NONE),
  ];
}

/** The claims of both, and the invariants that one of them violates. */
function claimRows(
  pair: readonly [ExperimentModel, ExperimentModel],
): ComparisonTable["rows"] {
  const [a = [], b = []] = pair.map(({ runs: [run] }): readonly Finding[] => [
    ...run?.findings ?? [],
    ...(run?.invariants ?? []).filter(({ verdict }) => verdict !== "held"),
  ]);
  const texts = new Map([...b, ...a].map(({ id, text }) => [id, text]));
  const ids = new Set([...a, ...b].map(({ id }) => id));
  return [...ids].flatMap((id) =>
    SIDES.map((side, index) => {
      const found = [a, b][index]?.find((finding) => finding.id === id);
      return [
        pair[0].name,
        texts.get(id) ?? "",
        side,
        found?.verdict ?? NONE,
        found?.measured ?? NONE,
      ];
    })
  );
}

/** The tables of a comparison. */
export function comparisonTables(
  compared: Compared,
): readonly ComparisonTable[] {
  const pairs = pairsOf(compared);
  return [
    {
      title: "What differs",
      head: ["", ...SIDES],
      rows: differences(compared),
    },
    {
      title: "Experiments",
      head: [
        ...["experiment", "run", "verdict", "calls", "failed as meant"],
        ...["lost", "p50 ms", "p99 ms"],
      ],
      rows: pairs.flatMap((pair) =>
        pair.map((experiment, index) => {
          const [name = "", ...rest] = numberRow(experiment);
          return [name, SIDES[index] ?? "", ...rest];
        })
      ),
    },
    {
      title: "Claims",
      head: ["experiment", "claim", "run", "verdict", "measured"],
      rows: pairs.flatMap(claimRows),
    },
  ];
}

/** A comparison as lines for a terminal. */
export function comparisonLines(compared: Compared): readonly string[] {
  return [
    ...SIDES.map((side, index) => `${side}  ${compared.names[index]}`),
    ...comparisonTables(compared).flatMap(({ head, rows }) =>
      rows.length === 0 ? [] : ["", ...tableLines(head, rows)]
    ),
    "",
    ...onlyLines(compared),
  ];
}

const VERDICTS: ReadonlySet<string> = new Set<Verdict>([
  "held",
  "broken",
  "unknown",
]);

/** A comparison as a page. */
export function comparisonHtml(compared: Compared): string {
  const cell = (text: string): Content =>
    VERDICTS.has(text) ? verdict(text) : text;
  const title = "Two runs side by side";
  return page(title, [
    element("h1", {}, title),
    ...SIDES.map((side, index) =>
      element("p", {}, `${side} is ${compared.names[index]}`)
    ),
    ...onlyLines(compared).map((line) => element("p", {}, line)),
    ...comparisonTables(compared).flatMap(({ title, head, rows }) => [
      element("h2", {}, title),
      table(head, rows.map((row) => row.map(cell))),
    ]),
  ]);
}
