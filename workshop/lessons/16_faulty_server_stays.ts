/** One server fails every call: three settings keep it in rotation. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster, routeAction } from "../../src/experiment/changes.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import {
  callsIn,
  heldIf,
  isLost,
  lossWords,
  statGrows,
  unknown,
} from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { CLUSTER, RETRY_POLICY } from "./_paths.ts";
import text from "./16_faulty_server_stays.md" with { type: "text" };

const FAULTY = "server-2";
const FAULTY_AT_MS = 500;

/** Five failures in a row take a fraction of a second. */
const EJECTED_MS = FAULTY_AT_MS + 1000;

/** The first ejection, of 5 s, is not over by then. */
const DURATION_MS = 5500;

/** Five failures eject, and a few more calls are on their way. */
const LOST_MAX = 12;

const OUTLIER = [...CLUSTER, "outlier_detection"];
const DETECTOR = [...OUTLIER, "enforcing_consecutive_gateway_failure"];
const CAP = [...OUTLIER, "max_ejection_percent"];
const UNEJECT = [...OUTLIER, "successful_active_health_check_uneject_host"];
const RETRY_ON = [...RETRY_POLICY, "retry_on"];

/** Once ejected, it stays out for the rest of the run. */
const staysOut: Judge = ({ samples }) => {
  const late = samples.filter(({ atMs }) => atMs >= EJECTED_MS);
  const out = late.filter(({ hosts }) =>
    hosts.some(({ server, isEjected }) => server === FAULTY && isEjected)
  );
  if (late.length < 8) return unknown(`${late.length} samples are too few`);
  return heldIf(
    out.length === late.length,
    `ejected in ${out.length} of ${late.length} samples`,
  );
};

/** Few calls fail, all of them at the beginning. */
const losesFew: Judge = (history) => {
  const lost = callsIn(history).filter(isLost);
  return heldIf(lost.length <= LOST_MAX, lossWords(history.calls));
};

/** Which of the three settings a file has right. */
function right(config: EnvoyConfig): {
  readonly isOn: boolean;
  readonly isAllowed: boolean;
  readonly isKept: boolean;
} {
  const field = (name: string) =>
    at(grpcCluster(config), "outlier_detection", name);
  const percent = (name: string, otherwise: number) =>
    Number(field(name) ?? otherwise);
  return {
    isOn: percent("enforcing_consecutive_gateway_failure", 0) > 0 ||
      percent("enforcing_consecutive_5xx", 100) > 0,
    isAllowed: percent("max_ejection_percent", 10) >= 34 ||
      field("always_eject_one_host") === true,
    isKept: field("successful_active_health_check_uneject_host") === false,
  };
}

export const faultyServerStays: Lesson = {
  number: 16,
  name: "faulty-server-stays",
  title: "One server fails all its calls: why does nobody take it out?",
  isIncident: true,
  minutes: 15,
  text,
  start: [
    // Orders must not run twice, so only calls that reached no server do.
    { path: RETRY_ON, value: "connect-failure,refused-stream" },
    { path: DETECTOR, value: undefined },
    { path: CAP, value: undefined },
    { path: UNEJECT, value: undefined },
  ],
  solution: [
    { path: DETECTOR, value: 100 },
    { path: CAP, value: 67 },
    { path: UNEJECT, value: false },
  ],
  hints: [
    "Three things must come true before a server is out: somebody counts its " +
    "failures, Envoy is allowed to act on the count, and nobody takes the " +
    "server back too early. Compare each with what Envoy does by default.",
    'All three are fields of "outlier_detection": which detector is ' +
    "enforced for UNAVAILABLE, which share of servers may be ejected, and " +
    "what a passing health check does to an ejected server.",
    'Set "enforcing_consecutive_gateway_failure: 100", ' +
    '"max_ejection_percent: 67" and ' +
    '"successful_active_health_check_uneject_host: false".',
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 120, durationMs: DURATION_MS },
    events: [{
      atMs: FAULTY_AT_MS,
      label: `${FAULTY} fails every call, and passes health checks`,
      do: async ({ stack }) => {
        await stack.fault(FAULTY, { kind: "status", durationMs: 60_000 });
      },
    }],
    claims: [
      {
        id: "few",
        text: `at most ${LOST_MAX} calls are lost`,
        judge: losesFew,
        stillWrong: `${FAULTY} fails every call and keeps its third of them`,
      },
      {
        id: "out",
        text: `a second later ${FAULTY} is ejected, and stays so`,
        judge: staysOut,
        stillWrong: `${FAULTY} is not out, or not for long`,
      },
      {
        id: "once",
        text: "no call runs twice",
        judge: statGrows("upstream_rq_retry", { max: 0 }),
        stillWrong: "Calls that a server has answered are made again",
      },
    ],
  },
  mistakes: [
    {
      name: "retries",
      edits: [{ path: RETRY_ON, value: "connect-failure,unavailable" }],
      isIn: (config) =>
        /unavailable|reset(?!-)|5xx|gateway-error/.test(String(
          at(routeAction(config, "unary"), "retry_policy", "retry_on"),
        )),
      sentence:
        "Retries only hide the server from users: it still gets a third of all " +
        "attempts, and an order that it had begun may now run twice",
    },
    {
      name: "only the detector",
      edits: [{ path: DETECTOR, value: 100 }],
      isIn: (config) => {
        const { isOn, isAllowed } = right(config);
        return isOn && !isAllowed;
      },
      sentence:
        "Envoy now counts the failures and may not act on them: of three " +
        "servers none is within the default cap of 10 %",
    },
    {
      name: "only the cap",
      edits: [{ path: CAP, value: 67 }],
      isIn: (config) => {
        const { isOn, isAllowed } = right(config);
        return !isOn && isAllowed;
      },
      sentence:
        "Envoy may eject two of three now, but no detector is enforced for " +
        "UNAVAILABLE, so none ever is",
    },
    {
      name: "back with the next health check",
      edits: [{ path: DETECTOR, value: 100 }, { path: CAP, value: 67 }],
      isIn: (config) => {
        const { isOn, isAllowed, isKept } = right(config);
        return isOn && isAllowed && !isKept;
      },
      sentence:
        "The server is ejected and comes back with its next passing health " +
        "check, a second later, to fail five more calls",
    },
  ],
};
