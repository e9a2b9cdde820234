/** What is added to k6's report by those who know more than k6. */
import { Failure, messageOf } from "../core/errors.ts";
import { GRPC_CLUSTER } from "../stack/envoy_config.ts";
import type { GeneratorUse } from "./k6.ts";
import type { Stack } from "../stack/stack.ts";

/** The part of k6's report that is read here; loadtest/README.md has it all. */
export interface LoadReport {
  /** False when the run was interrupted. */
  readonly isComplete: boolean;
  /** Whether the run is complete and every threshold holds. */
  readonly passed: boolean;
  readonly achieved: {
    /** Null when the run was interrupted. */
    readonly ratePerS: number | null;
    readonly calls: number;
    readonly errors: number;
    readonly dropped: number;
    readonly servers: number;
  };
  readonly servers: readonly {
    readonly name: string | null;
    readonly calls: number;
    readonly share: number;
  }[];
  readonly deviationMax: number;
  readonly latencyMs:
    | { readonly p95: number; readonly p99: number }
    | null;
  readonly ledger: { readonly callsSent: number; readonly retries: number };
  readonly thresholds: readonly {
    readonly metric: string;
    readonly condition: string;
    readonly ok: boolean;
  }[];
}

/** How many calls each of those has counted who should agree. */
export interface Ledgers {
  /** Calls that k6 made, set-up and warm-up included. */
  readonly k6: number;
  /** Calls that the servers answered. */
  readonly servers: number;
  /** Envoy's calls to the servers, less its retries. */
  readonly envoy: number;
}

/** Where Envoy's and the servers' counters stood. */
export interface Counted {
  readonly servers: number;
  readonly envoy: number;
}

/** Reads the counters of every server and of Envoy. */
export async function readCounted(stack: Stack): Promise<Counted> {
  const [stats, ...counters] = await Promise.all([
    stack.admin.stats(
      `^cluster\\.${GRPC_CLUSTER}\\.upstream_rq_(total|retry)$`,
    ),
    ...stack.servers().map(({ name }) => stack.counters(name)),
  ]);
  const stat = (name: string) =>
    stats.get(`cluster.${GRPC_CLUSTER}.${name}`) ?? 0;
  return {
    servers: counters.flatMap(({ methods }) => methods)
      .reduce((sum, { started }) => sum + started, 0),
    envoy: stat("upstream_rq_total") - stat("upstream_rq_retry"),
  };
}

/** What all three have counted between two readings. */
export function ledgersOf(
  report: LoadReport,
  before: Counted,
  after: Counted,
): Ledgers {
  return {
    k6: report.ledger.callsSent,
    servers: after.servers - before.servers,
    envoy: after.envoy - before.envoy,
  };
}

/** Whether all three have counted the same calls. */
export function agrees({ k6, servers, envoy }: Ledgers): boolean {
  return k6 === servers && k6 === envoy;
}

/** The ledgers in a line. */
export function ledgersLine(ledgers: Ledgers): string {
  return `Calls counted by k6: ${ledgers.k6}, by the servers: ${ledgers.servers}, ` +
    `by Envoy without retries: ${ledgers.envoy}`;
}

/** The load generator's use of the machine, in a line. */
export function generatorLine({ coresBusy, cores }: GeneratorUse): string {
  const percent = Math.round(100 * coresBusy / cores);
  return `The load generator used ${coresBusy.toFixed(2)} of ${cores} cores ` +
    `(${percent} %)`;
}

/**
 * Reads a report that k6 has written.
 * @param prefix The report's path without ".json".
 * @returns undefined when there is none: k6 was stopped in set-up.
 */
export async function readReport(
  prefix: string,
): Promise<LoadReport | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${prefix}.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Failure(
      "environment",
      `Cannot read the report "${prefix}.json": ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Where a report's page has room for what is added. */
const PAGE_MARK = "<!-- generator -->";

/** What is added to a report. */
export interface Addition {
  readonly generator: GeneratorUse | undefined;
  readonly ledgers: Ledgers | undefined;
  /** The name of k6's own page beside the report, if it has made one. */
  readonly dashboard: string | undefined;
}

/** Adds to a report's JSON and HTML files. */
export async function addToReport(
  prefix: string,
  report: LoadReport,
  addition: Addition,
): Promise<void> {
  await Deno.writeTextFile(
    `${prefix}.json`,
    `${JSON.stringify({ ...report, ...addition }, null, 2)}\n`,
  );
  const { generator, ledgers, dashboard } = addition;
  const lines = [
    ...(generator === undefined ? [] : [generatorLine(generator)]),
    ...(ledgers === undefined ? [] : [ledgersLine(ledgers)]),
    ...(dashboard === undefined
      ? []
      : [`<a href="${dashboard}">k6's own dashboard, over time</a>`]),
  ];
  const page = await Deno.readTextFile(`${prefix}.html`);
  await Deno.writeTextFile(
    `${prefix}.html`,
    page.replace(PAGE_MARK, lines.map((line) => `<p>${line}</p>`).join("\n")),
  );
}
