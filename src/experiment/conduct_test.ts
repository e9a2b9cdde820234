import assert from "node:assert/strict";
import { calls, history } from "./_history.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import { changedConfig, noRetries } from "./changes.ts";
import {
  conclude,
  conduct,
  controlPlan,
  findingsOf,
  type JudgedRun,
} from "./conduct.ts";
import type { Experiment, Verdict } from "./experiment.ts";
import { type History, Unmeasured } from "./history.ts";
import { lostAtMost } from "./judge.ts";

const EXPERIMENT: Experiment = {
  name: "fixture",
  question: "Does it work?",
  setup: { servers: 3, changes: [{ name: "first", apply: () => {} }] },
  load: { ratePerS: 100, durationMs: 1000 },
  events: [],
  claims: [{ id: "lost", text: "no call is lost", judge: lostAtMost(0) }],
  control: {
    about: "no retries",
    changes: [{ name: "second", apply: () => {} }],
    setup: { servers: 2 },
    load: { workMs: 7 },
    breaks: ["lost"],
  },
};

const FINE = history({ calls: calls(100) });
const LOSING = history({ calls: calls(100, { status: "UNAVAILABLE" }) });

function judged(given: History, always: Verdict = "held"): JudgedRun {
  return {
    history: given,
    findings: findingsOf(EXPERIMENT.claims, given),
    invariants: [{ id: "x", text: "always", verdict: always, measured: "so" }],
  };
}

Deno.test("conclude() wants every claim held and every control broken", () => {
  const interrupted = { ...FINE, isInterrupted: true };
  const rows: readonly (readonly [
    string,
    JudgedRun,
    readonly JudgedRun[],
    Verdict,
    RegExp,
  ])[] = [
    ["as it should be", judged(FINE), [judged(LOSING)], "held", /^$/],
    [
      "the claim breaks",
      judged(LOSING),
      [judged(LOSING)],
      "broken",
      /^no call is/,
    ],
    [
      "the control holds",
      judged(FINE),
      [judged(FINE)],
      "broken",
      /did not break "no/,
    ],
    [
      "something else is wrong",
      judged(FINE, "broken"),
      [judged(LOSING)],
      "broken",
      /^always: so$/,
    ],
    [
      "something else is wrong in the control",
      judged(FINE),
      [judged(LOSING, "broken")],
      "broken",
      /^in the control \(no retries\), always/,
    ],
    ["no call", judged(history()), [judged(LOSING)], "unknown", /too few/],
    [
      "no control",
      judged(FINE),
      [],
      "unknown",
      /control \(no retries\) was not run/,
    ],
    [
      "interrupted control",
      judged(FINE),
      [judged(interrupted)],
      "unknown",
      /did not break/,
    ],
    [
      "broken before unknown",
      judged(LOSING, "unknown"),
      [judged(LOSING)],
      "broken",
      /^no call is lost.*\nalways/,
    ],
  ];
  for (const [what, promise, controls, verdict, reasons] of rows) {
    const concluded = conclude(EXPERIMENT, promise, controls);
    assert.equal(concluded.verdict, verdict, what);
    assert.match(concluded.reasons.join("\n"), reasons, what);
  }
});

Deno.test("conclude() wants each of several controls to break its claims", () => {
  const experiment: Experiment = {
    ...EXPERIMENT,
    furtherControls: [{ about: "no check", breaks: ["lost"] }],
  };
  const of = (controls: readonly History[]) =>
    conclude(experiment, judged(FINE), controls.map((one) => judged(one)));
  assert.equal(of([LOSING, LOSING]).verdict, "held");
  const holding = of([LOSING, FINE]);
  assert.equal(holding.verdict, "broken");
  assert.match(holding.reasons.join(), /^the control \(no check\) did not/);
  const without = of([LOSING]);
  assert.equal(without.verdict, "unknown");
  assert.match(without.reasons.join(), /^the control \(no check\) was not run/);
});

Deno.test("conclude() misses no control that there is not to be", () => {
  const verdictOf = (history: History) =>
    conclude(EXPERIMENT, judged(history), [], []).verdict;
  assert.equal(verdictOf(FINE), "held");
  assert.equal(verdictOf(LOSING), "broken");
  assert.equal(verdictOf({ ...FINE, isInterrupted: true }), "unknown");
});

Deno.test("conclude() does not believe a control that breaks no claim", () => {
  const experiment = {
    ...EXPERIMENT,
    control: { ...EXPERIMENT.control, breaks: ["missing"] },
  };
  const { verdict, reasons } = conclude(
    experiment,
    judged(FINE),
    [judged(LOSING)],
  );
  assert.equal(verdict, "broken");
  assert.match(reasons.join(), /no claim "missing"/);
});

Deno.test("controlPlan() adds changes and replaces the rest", () => {
  const { setup, load, events } = controlPlan(EXPERIMENT, EXPERIMENT.control);
  assert.deepEqual(setup.changes?.map(({ name }) => name), ["first", "second"]);
  assert.equal(setup.servers, 2);
  assert.deepEqual(load, { ratePerS: 100, durationMs: 1000, workMs: 7 });
  assert.equal(events, EXPERIMENT.events);
});

for (
  const [verdict, othersShare, expected] of [
    ["broken", 0, "broken"],
    ["broken", 0.5, "unknown"],
    ["held", 0.5, "held"],
  ] as const
) {
  Deno.test(`findingsOf() makes ${expected} of ${verdict} when others take ${othersShare}`, () => {
    const [finding] = findingsOf(
      [{ id: "a", text: "t", judge: () => ({ verdict, measured: "m" }) }],
      history({
        disturbance: { timersLateMs: 1, othersShare, stolenShare: 0 },
      }),
    );
    assert.equal(finding?.verdict, expected);
    assert.match(
      finding?.measured ?? "",
      expected === "unknown" ? /^m; the machine was busy \(others/ : /^m$/,
    );
  });
}

Deno.test("findingsOf() does not know what was not measured", () => {
  const [finding] = findingsOf(
    [{
      id: "a",
      text: "t",
      judge: () => {
        throw new Unmeasured("Envoy was gone");
      },
    }],
    history(),
  );
  assert.equal(finding?.verdict, "unknown");
  assert.equal(finding?.measured, "Envoy was gone");
});

Deno.test("conduct() runs nothing on another file that says nothing of it", async () => {
  const { setup } = EXPERIMENT;
  for (
    const [experiment, made] of [
      [{ ...EXPERIMENT, isOfOwnSettings: true }, "first"],
      [{ ...EXPERIMENT, setup: { ...setup, tls: {} } }, "first, TLS"],
    ] as const
  ) {
    const started = conduct(experiment, {
      stacks: {
        name: "none",
        start: () => Promise.reject(new Error("started")),
      },
      seed: 1,
      signal: new AbortController().signal,
      base: { config: parseEnvoyConfig(), name: "my.yaml" },
      onRun: () => {},
      onProgress: () => {},
    });
    await assert.rejects(started, {
      name: "Failure",
      message: "fixture says nothing of my.yaml, as it makes the settings " +
        `that it is about itself: ${made}; run it without --config`,
    });
  }
});

Deno.test("conduct() takes away from another file only what it has", async () => {
  const has = parseEnvoyConfig();
  const lacks = changedConfig([noRetries], has);
  for (
    const [config, names] of [[has, "my.yaml with no retries"], [
      lacks,
      "my.yaml",
    ]] as const
  ) {
    let configName = "";
    const setup = { servers: 3, changes: [noRetries] };
    const started = conduct({ ...EXPERIMENT, setup }, {
      stacks: {
        name: "none",
        start: (options) => {
          ({ configName } = options);
          return Promise.reject(new Error("started"));
        },
      },
      seed: 1,
      signal: new AbortController().signal,
      base: { config, name: "my.yaml" },
      onRun: () => {},
      onProgress: () => {},
    });
    await assert.rejects(started, /started/);
    assert.equal(configName, names);
  }
});
