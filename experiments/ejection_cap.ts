/**
 * All three servers fail every call and pass every health check.
 *
 * Ejecting all of them would leave no server to show recovery, and would turn a
 * partial failure (a database that only some calls need) into a total one. The
 * cap of 67 % ejects two of three; the last one stays.
 */
import {
  callsIn,
  type Experiment,
  heldIf,
  type Judge,
  outlierFields,
  type RunContext,
  unavailableIn,
  unknown,
} from "../src/experiment/authors.ts";

const FAULT_AT_MS = 1000;
const FAULT_MS = 3000;

/** Five failures in a row on each server take a fraction of a second. */
const EJECTED_MS = 2500;

/** Nine of ten calls fail, on every server. */
async function faultAll({ stack }: RunContext): Promise<void> {
  await Promise.all(
    stack.servers().map(({ name }, index) =>
      stack.fault(name, {
        kind: "status",
        durationMs: FAULT_MS,
        share: 0.9,
        seed: index + 1,
      })
    ),
  );
}

/** Two are ejected and the third never is. */
const ejectsTwo: Judge = ({ samples }) => {
  if (samples.length === 0) return unknown("Envoy was not asked");
  const counts = samples.map(({ hosts }) =>
    hosts.filter(({ isEjected }) => isEjected).length
  );
  const most = Math.max(...counts);
  return heldIf(most === 2, `at most ${most} of 3 ejected at once`);
};

/** Some calls still succeed, as the last server answers some. */
const someSucceed: Judge = (history) => {
  const calls = callsIn(history, {
    fromMs: EJECTED_MS,
    toMs: FAULT_AT_MS + FAULT_MS,
  });
  const good = calls.filter(({ status }) => status === "OK").length;
  return heldIf(good > 0, `${good} of ${calls.length} calls succeeded`);
};

export const ejectionCap: Experiment = {
  name: "ejection-cap",
  question: "Is one server left when all fail calls but look healthy?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 200, durationMs: 5000 },
  events: [{
    atMs: FAULT_AT_MS,
    label: "all servers fail 90 % of their calls",
    do: faultAll,
  }],
  isMeantToFail: unavailableIn({
    fromMs: FAULT_AT_MS,
    // The fault reaches the servers a moment later, one after another.
    toMs: FAULT_AT_MS + FAULT_MS + 500,
  }),
  claims: [
    {
      id: "two",
      text: "two of three are ejected, never the last",
      judge: ejectsTwo,
    },
    {
      id: "some",
      text: "calls that the last one can answer succeed",
      judge: someSucceed,
    },
  ],
  control: {
    about: "all servers may be ejected",
    changes: [
      outlierFields("100 % may be ejected", { max_ejection_percent: 100 }),
    ],
    breaks: ["two", "some"],
  },
};
