import assert from "node:assert/strict";
import { call, calls, history, snapshot } from "./_history.ts";
import type { Judge, Verdict } from "./experiment.ts";
import type { History } from "./history.ts";
import {
  allOf,
  healthyWithin,
  latencyAtMost,
  lossWords,
  lostAtMost,
  measuredBetween,
  outcomesOf,
  percentile,
  shareBetween,
  statGrows,
  unavailableIn,
} from "./judge.ts";

/** Checks a judge by a table: the case, its history, the verdict, words. */
function checkRows(
  rows: readonly (readonly [string, Judge, History, Verdict, RegExp?])[],
): void {
  for (const [what, judge, given, verdict, words = /./] of rows) {
    const judgement = judge(given);
    assert.equal(judgement.verdict, verdict, `${what}: ${judgement.measured}`);
    assert.match(judgement.measured, words, what);
  }
}

const UNAVAILABLE = { status: "UNAVAILABLE" };

Deno.test("lostAtMost() counts the lost calls of its window", () => {
  const fine = history({ calls: calls(100) });
  const three = history({
    calls: [...calls(97), ...calls(3, { ...UNAVAILABLE, startMs: 400 })],
  });
  checkRows([
    ["nothing lost", lostAtMost(0), fine, "held", /^0 of 100 calls lost$/],
    ["three lost", lostAtMost(0), three, "broken", /3 of 100 .*3 UNAVAIL/],
    ["three allowed", lostAtMost(3), three, "held"],
    ["lost before", lostAtMost(0, { fromMs: 401 }), three, "held", /0 of 56/],
    ["lost within", lostAtMost(0, { toMs: 401 }), three, "broken", /3 of/],
    ["no call", lostAtMost(0), history(), "unknown", /too few/],
    [
      "one lost of few is enough to tell",
      lostAtMost(0),
      history({ calls: calls(1, UNAVAILABLE) }),
      "broken",
    ],
  ]);
});

Deno.test("what was meant to fail is not lost, nor answered", () => {
  const meant = { ...UNAVAILABLE, failedAsMeant: true, latencyMs: 9e3 };
  const some = [...calls(200), ...calls(40, meant)];
  const given = history({ calls: some });
  assert.deepEqual(outcomesOf([...some, ...calls(2, UNAVAILABLE)]), {
    calls: 242,
    failedAsMeant: 40,
    lost: 2,
  });
  checkRows([
    ["lost", lostAtMost(0), given, "held", /^0 of 240 .* lost, 40 failed as/],
    ["latency", latencyAtMost(99, 10), given, "held", /of 200 calls/],
    ["share", shareBetween("server-1", 1, 1), given, "held", /200 of 200/],
  ]);
});

Deno.test("unavailableIn() tells calls by their status and their time", () => {
  const isMeant = unavailableIn({ fromMs: 1000, toMs: 2000 });
  const rows: readonly (readonly [string, number, boolean])[] = [
    ["UNAVAILABLE", 999, false],
    ["UNAVAILABLE", 1000, true],
    ["UNAVAILABLE", 1999, true],
    ["UNAVAILABLE", 2000, false],
    ["INTERNAL", 1500, false],
  ];
  for (const [status, startMs, expected] of rows) {
    assert.equal(isMeant(call({ status, startMs })), expected);
  }
  assert.ok(unavailableIn()(call({ status: "UNAVAILABLE", startMs: 9e9 })));
});

Deno.test("lossWords() names the statuses, the most frequent first", () => {
  const some = [...calls(1, { status: "CANCELLED" }), ...calls(2, UNAVAILABLE)];
  assert.equal(
    lossWords(some),
    "3 of 3 calls lost (2 UNAVAILABLE, 1 CANCELLED)",
  );
});

Deno.test("percentile() is by nearest rank", () => {
  assert.equal(percentile([], 50), undefined);
  assert.equal(percentile([3, 1, 2], 50), 2);
  assert.equal(percentile([3, 1, 2], 100), 3);
  assert.equal(percentile([3, 1, 2], 1), 1);
});

Deno.test("latencyAtMost() judges answered calls only, if there are enough", () => {
  const slow = [...calls(180), ...calls(20, { latencyMs: 500 })];
  const failed = [
    ...calls(200),
    ...calls(20, { ...UNAVAILABLE, latencyMs: 9e3 }),
  ];
  checkRows([
    ["fast", latencyAtMost(99, 10), history({ calls: calls(200) }), "held"],
    ["slow", latencyAtMost(99, 10), history({ calls: slow }), "broken", /500/],
    ["p90", latencyAtMost(90, 10), history({ calls: slow }), "held", /5\.0 ms/],
    ["lost ones", latencyAtMost(99, 10), history({ calls: failed }), "held"],
    [
      "too few for p99",
      latencyAtMost(99, 10),
      history({ calls: calls(199) }),
      "unknown",
    ],
  ]);
});

Deno.test("shareBetween() judges a server's part of the answered calls", () => {
  const mixed = history({
    calls: [...calls(75), ...calls(25, { server: "server-2" })],
  });
  checkRows([
    ["inside", shareBetween("server-2", 0.2, 0.3), mixed, "held", /25 of 100/],
    ["above", shareBetween("server-2", 0, 0.1), mixed, "broken", /25\.0 %/],
    ["nobody", shareBetween("server-3", 0, 0), mixed, "held", /0 of 100/],
    ["no call", shareBetween("server-1", 0, 1), history(), "unknown"],
  ]);
});

Deno.test("healthyWithin() finds the first sample after the event", () => {
  const given = history({
    events: [{ label: "kill", startMs: 1000, endMs: 1001 }],
    samples: [[900, 2], [1100, 3], [1400, 2]].map((
      [atMs = 0, healthy = 0],
    ) => ({
      atMs,
      stats: { membership_healthy: healthy },
      hosts: [],
    })),
  });
  checkRows([
    ["in time", healthyWithin("kill", 2, 400), given, "held", /2 healthy 400/],
    ["too late", healthyWithin("kill", 2, 399), given, "broken"],
    ["never", healthyWithin("kill", 1, 9999), given, "broken", /never 1/],
    ["no such event", healthyWithin("x", 2, 400), given, "unknown"],
    [
      "interrupted",
      healthyWithin("kill", 1, 9999),
      { ...given, isInterrupted: true },
      "unknown",
    ],
  ]);
});

Deno.test("statGrows() takes the growth, and nothing for an unknown counter", () => {
  const given = history({
    before: snapshot({ stats: { "cluster.grpc-server.upstream_rq_retry": 2 } }),
    after: snapshot({
      stats: { "cluster.grpc-server.upstream_rq_retry": 7, "http.x": 4 },
    }),
  });
  checkRows([
    ["by 5", statGrows("upstream_rq_retry", { min: 5, max: 5 }), given, "held"],
    ["too much", statGrows("upstream_rq_retry", { max: 4 }), given, "broken"],
    ["too little", statGrows("upstream_rq_retry", { min: 6 }), given, "broken"],
    ["full name, new", statGrows("http.x", { min: 4, max: 4 }), given, "held"],
    ["not there", statGrows("nothing", { min: 1 }), given, "broken", /by 0/],
  ]);
});

Deno.test("measuredBetween() wants every value inside, and at least one", () => {
  const given = history({
    measures: [1, 5].map((value) => ({ name: "time", value, atMs: 0 })),
  });
  checkRows([
    ["all", measuredBetween("time", { max: 5 }), given, "held", /time: 1, 5/],
    ["one not", measuredBetween("time", { min: 2 }), given, "broken"],
    ["none", measuredBetween("other", { min: 2 }), given, "unknown"],
  ]);
});

Deno.test("allOf() is as good as the worst of its judges", () => {
  const judges = (["held", "unknown", "broken"] as const).map(
    (verdict) => () => ({
      verdict,
      measured: verdict,
    }),
  );
  assert.equal(allOf(...judges.slice(0, 1))(history()).verdict, "held");
  assert.equal(allOf(...judges.slice(0, 2))(history()).verdict, "unknown");
  assert.equal(allOf(...judges)(history()).verdict, "broken");
});
