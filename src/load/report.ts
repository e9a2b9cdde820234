/**
 * Extends k6's report with what k6 cannot know: server and Envoy counters, CPU
 * use.
 */
import { Failure, messageOf } from "../core/errors.ts";
import { GRPC_CLUSTER } from "../stack/envoy_config.ts";
import type { LoadReport } from "../core/load/report.ts";
import type { Verdict } from "../core/load/verdict.ts";
import type { Disturbance } from "../io/disturbance.ts";
import type { GeneratorUse } from "./k6.ts";
import type { Stack } from "../stack/stack.ts";

/** The three counts of calls, which must agree. */
export interface Ledgers {
  /** Calls that k6 made, set-up and warm-up included. */
  readonly k6: number;
  /** Calls that the servers answered. */
  readonly servers: number;
  /** Envoy's calls to the servers, without retries. */
  readonly envoy: number;
}

/** Counters of the servers and of Envoy at one moment. */
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

/** What all three counted between two readings. */
export function ledgersOf(
  report: Pick<LoadReport, "ledger">,
  before: Counted,
  after: Counted,
): Ledgers {
  return {
    k6: report.ledger.callsSent,
    servers: after.servers - before.servers,
    envoy: after.envoy - before.envoy,
  };
}

/** Whether all three counted the same number of calls. */
export function agrees({ k6, servers, envoy }: Ledgers): boolean {
  return k6 === servers && k6 === envoy;
}

/** The ledgers in one line. */
export function ledgersLine(ledgers: Ledgers): string {
  return `Calls counted by k6: ${ledgers.k6}, by the servers: ${ledgers.servers}, ` +
    `by Envoy without retries: ${ledgers.envoy}`;
}

/** The load generator's CPU use in one line. */
export function generatorLine({ coresBusy, cores }: GeneratorUse): string {
  const percent = Math.round(100 * coresBusy / cores);
  return `The load generator used ${coresBusy.toFixed(2)} of ${cores} cores ` +
    `(${percent} %)`;
}

/** What else the machine did during the run, in one line. */
export function disturbanceLine(
  { timersLateMs, othersShare, stolenShare }: Disturbance,
): string {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return `Other programs took ${percent(othersShare)} of the processor, the ` +
    `machine's host ${percent(stolenShare)}; timers were up to ` +
    `${timersLateMs.toFixed(0)} ms late (p99)`;
}

/** The record of a run: k6's report and what was measured besides. */
export interface LoadRecord {
  readonly report: LoadReport;
  readonly verdict: Verdict;
  readonly generator: GeneratorUse | null;
  /** Null when only k6 counted; the report says so where it should not. */
  readonly ledgers: Ledgers | null;
  /** Missing in records of earlier programs. */
  readonly disturbance?: Disturbance;
  /** The machine and the versions; missing in records of earlier programs. */
  readonly facts?: Readonly<Record<string, string>>;
  /** Whether k6 wrote its own page; it does not in very short runs. */
  readonly hasDashboard: boolean;
  /** ISO 8601. */
  readonly writtenAt: string;
}

/** What a record adds to k6's report, a line each. */
export function recordLines(
  { generator, ledgers, disturbance }: LoadRecord,
): string[] {
  return [
    ...(generator === null ? [] : [generatorLine(generator)]),
    ...(disturbance === undefined ? [] : [disturbanceLine(disturbance)]),
    ...(ledgers === null ? [] : [ledgersLine(ledgers)]),
    ...(ledgers === null || agrees(ledgers)
      ? []
      : ["These must be equal; the bench or a server is at fault"]),
  ];
}

/**
 * Reads a report written by k6.
 *
 * @returns Undefined when there is none: k6 was stopped in set-up.
 * @throws {Failure} `environment` when it cannot be read.
 */
export async function readReport(
  path: string,
): Promise<LoadReport | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Failure(
      "environment",
      `Cannot read k6's report "${path}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}
