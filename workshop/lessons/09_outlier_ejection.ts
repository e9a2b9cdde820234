/** A server that fails its calls stays, as the cap on ejections is 10 %. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster } from "../../src/experiment/changes.ts";
import { heldIf, unknown } from "../../src/experiment/judge.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import type { RunContext } from "../../src/experiment/run_context.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { CLUSTER } from "./_paths.ts";
import text from "./09_outlier_ejection.md" with { type: "text" };

const FAULTY = "server-2";
const FAULTY_AT_MS = 500;

/** By then the faulty server has been ejected, or never is. */
const ALL_FAULTY_AT_MS = 3000;

/** The run ends before the first ejection does, after 5 s. */
const DURATION_MS = 5000;

const OUTLIER = [...CLUSTER, "outlier_detection"];

/** The fields of outlier detection in a file. */
function outlier(config: EnvoyConfig, field: string): unknown {
  return at(grpcCluster(config), "outlier_detection", field);
}

/** The cap on ejections; Envoy's default is 10 %. */
function capOf(config: EnvoyConfig): number {
  return Number(outlier(config, "max_ejection_percent") ?? 10);
}

async function fail({ stack }: RunContext, name: string): Promise<void> {
  await stack.fault(name, { kind: "status", durationMs: 60_000 });
}

/** The most servers that were ejected at once, from `fromMs` to `toMs`. */
function ejected(fromMs: number, toMs: number): (
  history: Parameters<Judge>[0],
) => number | undefined {
  return ({ samples }) => {
    const counts = samples
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .map(({ hosts }) => hosts.filter((host) => host.isEjected).length);
    return counts.length === 0 ? undefined : Math.max(...counts);
  };
}

/** The faulty server is ejected. */
const isEjected: Judge = (history) => {
  const count = ejected(FAULTY_AT_MS, ALL_FAULTY_AT_MS)(history);
  return count === undefined
    ? unknown("Envoy was not asked")
    : heldIf(count === 1, `${count} of 3 servers ejected`);
};

/** One server stays even when all fail. */
const oneStays: Judge = (history) => {
  const count = ejected(ALL_FAULTY_AT_MS, DURATION_MS)(history);
  return count === undefined
    ? unknown("Envoy was not asked")
    : heldIf(count < 3, `${count} of 3 servers ejected`);
};

export const outlierEjection: Lesson = {
  number: 9,
  name: "outlier-ejection",
  title: "What stops a server that passes its health checks and fails calls?",
  minutes: 11,
  text,
  start: [{ path: [...OUTLIER, "max_ejection_percent"], value: undefined }],
  solution: [{ path: [...OUTLIER, "max_ejection_percent"], value: 67 }],
  hints: [
    "Outlier detection is on and counts the failures; ask why it never acts. " +
    "One of three servers is what share of all servers?",
    "Envoy never ejects more than a certain share of a cluster, and the " +
    'default is made for clusters of ten servers and more. In "clusters", at ' +
    '"grpc-server", the part is "outlier_detection".',
    'Set "max_ejection_percent" there to a value that allows one or two of ' +
    "three servers and not all three, for example 67.",
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 100, durationMs: DURATION_MS },
    events: [
      {
        atMs: FAULTY_AT_MS,
        label: `${FAULTY} fails every call`,
        do: (run) => fail(run, FAULTY),
      },
      {
        atMs: ALL_FAULTY_AT_MS,
        label: "the other two fail every call, too",
        do: async (run) => {
          await Promise.all([fail(run, "server-1"), fail(run, "server-3")]);
        },
      },
    ],
    isMeantToFail: ({ startMs }) => startMs >= ALL_FAULTY_AT_MS - 500,
    claims: [
      {
        id: "ejected",
        text: `${FAULTY}, which fails every call, is ejected`,
        judge: isEjected,
        stillWrong: `${FAULTY} fails every call, and Envoy goes on calling it`,
      },
      {
        id: "one-stays",
        text: "when all three fail, one stays",
        judge: oneStays,
        stillWrong:
          "When all three servers fail, all three are ejected, and no call " +
          "can succeed until an ejection ends, however soon they recover",
      },
    ],
  },
  mistakes: [
    {
      name: "all may be ejected",
      edits: [{ path: [...OUTLIER, "max_ejection_percent"], value: 100 }],
      isIn: (config) => capOf(config) >= 100,
      sentence:
        "With a cap of 100 % Envoy ejects the last server, too: when all " +
        'fail at the same time, nobody is left to call; "max_ejection_percent" ' +
        "must leave one",
    },
    {
      name: "a cap below one of three",
      edits: [{ path: [...OUTLIER, "max_ejection_percent"], value: 30 }],
      isIn: (config) => {
        const cap = outlier(config, "max_ejection_percent");
        return cap !== undefined && Number(cap) < 34;
      },
      sentence:
        "One of three servers is 33.3 %, so a cap below 34 % still ejects " +
        "none",
    },
    {
      name: "a lower threshold",
      edits: [
        { path: [...OUTLIER, "consecutive_gateway_failure"], value: 1 },
      ],
      isIn: (config) =>
        outlier(config, "consecutive_gateway_failure") !== undefined,
      sentence:
        "Envoy does detect the failures, after five in a row by default; to " +
        "count fewer of them does not help, because the cap forbids the " +
        "ejection itself",
    },
    {
      name: "one more detector",
      edits: [{ path: [...OUTLIER, "enforcing_consecutive_5xx"], value: 100 }],
      isIn: (config) => outlier(config, "enforcing_consecutive_5xx") !== 0,
      sentence:
        "One more detector finds the same server once more; the cap, which " +
        "holds for all detectors together, still forbids its ejection",
    },
  ],
};
